// The page that teaches nn.LSTM: maps of real activations and weights, one cell with its numbers, two languages.

const T = DATA.columns, CW = columnWidth(T);
const walks = DATA.walks.map(walk => ({...walk,
  ...Object.fromEntries(DATA.quantities.map(q => [q.name, unpack(walk[q.name])]))}));
const shownWalk = walks[DATA.walk], U = DATA.unit, at = (q, t) => shownWalk[q].at(t, U);
const SHORT = DATA.projected ? 'o·tanh(c)' : 'h'; // of one unit; a projection mixes all of them
const rowHeight = (rows, most = 150) => Math.max(most / rows < 1 ? most / rows : 1, Math.min(14, Math.round(most / rows)));

function map(id, values, colour, label, name, most, picture = 34) {
  const inner = tracks(document.getElementById(id), CW), rows = [...Array(values.rows).keys()];
  pictureTrack(inner, '', T, CW, '', picture);
  axisTrack(inner, 't', T, CW);
  const lane = track(inner, label, T * CW, 0);
  heat(lane, {columns: T, cw: CW, rh: rowHeight(values.rows, most), colour, rows: () => rows, get: values.level,
    label: name, tell: (r, t) => `${name}[${t}, 0, ${r}] = ${shown(values.at(r, t), 3)}`});
  return lane;
}

// ---- input, walks, output
const features = unpack(DATA.features), output = unpack(DATA.output);
map('features', features, 'seq', String(features.rows), 'sequence', 220, 60);
walks.forEach((walk, k) => {
  const inner = tracks(document.getElementById('walk-' + k), CW);
  pictureTrack(inner, '', T, CW, '', 28);
  const lane = track(inner, String(walk.h.columns), T * CW, 0), order = Object.values(walk.orders)[0];
  heat(lane, {columns: T, cw: CW, rh: rowHeight(walk.h.columns), colour: 'div', rows: () => order,
    get: (u, t) => walk.h.level(t, u), label: 'h, ' + DATA.tails[k],
    tell: (u, t) => `h ${word('unit', '单元')} ${u}, t = ${t}\n${shown(walk.h.at(t, u), 3)}`});
});
{
  const lane = map('output', output, 'div', String(output.rows), 'output', 260);
  const canvas = lane.querySelector('canvas'), rh = parseFloat(canvas.style.height) / output.rows;
  const frame = (t, first, rows, words) => {
    const box = el('div', {class: 'frame', title: words});
    box.style.cssText = `left:${t * CW}px;top:${first * rh}px;width:${CW}px;height:${rows * rh}px`;
    lane.append(box);
  };
  frame(T - 1, 0, DATA.state, DATA.directions === 2 ? 'h_n[-2]' : 'h_n[-1]');
  if (DATA.directions === 2) frame(0, DATA.state, DATA.state, 'h_n[-1]');
}

// ---- one cell
const values = {};
function cell() {
  const svg = el('svg', {viewBox: '0 0 760 330', width: 760, height: 330, role: 'img', 'aria-label': 'LSTM cell'});
  const line = d => svg.append(el('path', {d, fill: 'none', stroke: 'var(--soft)', 'stroke-width': 1.6,
    'marker-end': 'url(#tip)'}));
  const write = (x, y, words, size = 15, name = null, anchor = 'middle') => {
    const node = el('text', {x, y, 'text-anchor': anchor, 'font-size': size}, words);
    if (name) values[name] = node;
    svg.append(node);
  };
  const gate = (x, name, title, kind) => {
    svg.append(el('rect', {x: x - 44, y: 196, width: 88, height: 56, rx: 8, fill: 'var(--chip)', stroke: 'var(--rule)'}));
    values['bar-' + name] = el('rect', {x: x - 44, y: 252, width: 88, height: 0, rx: 3, class: kind, 'fill-opacity': .28,
      fill: 'currentColor', stroke: 'none'});
    svg.append(values['bar-' + name]);
    write(x, 218, title, 16);
    write(x, 240, '', 14, name);
    line(`M${x} 292V256`);
  };
  const round = (x, y, sign) => {
    svg.append(el('circle', {cx: x, cy: y, r: 15, fill: 'var(--card)', stroke: 'var(--ink)', 'stroke-width': 1.5}));
    write(x, y + 6, sign, 19);
  };
  svg.insertAdjacentHTML('afterbegin', '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    + 'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" style="fill:var(--soft)"/></marker></defs>');
  line('M20 62H133'); line('M167 62H333'); line('M367 62H726');
  line('M60 292H560');
  line('M150 196V80'); line('M300 196V150Q300 137 333 137'); line('M400 196V150Q400 137 367 137');
  line('M350 121V80'); line('M560 62V92'); line('M560 126V148');
  line('M510 224Q524 224 524 190Q524 165 543 165'); line('M577 165H726');
  write(24, 48, 'c', 15, null, 'start'); write(24, 84, '', 13, 'old', 'start');
  write(736, 48, 'c', 15, null, 'end'); write(736, 84, '', 13, 'c', 'end');
  write(736, 151, SHORT, 15, null, 'end'); write(736, 187, '', 13, 'h', 'end');
  write(24, 312, 'x', 15, null, 'start'); write(40, 312, '[t],  h[t−1]', 13, 'x', 'start');
  gate(150, 'f', 'f', 's2'); gate(300, 'i', 'i', 's1'); gate(400, 'g', 'g', 's1'); gate(500, 'o', 'o', 's3');
  round(150, 62, '×'); round(350, 62, '+'); round(350, 137, '×'); round(560, 165, '×');
  svg.append(el('rect', {x: 528, y: 92, width: 64, height: 32, rx: 8, fill: 'var(--chip)', stroke: 'var(--rule)'}));
  write(560, 113, 'tanh', 14);
  write(604, 113, '', 13, 'tanh', 'start'); write(370, 108, '', 13, 'written', 'start'); write(180, 48, '', 13, 'kept', 'start');
  document.getElementById('cell').append(svg);
}
cell();
const slider = document.getElementById('column');
slider.addEventListener('input', () => setColumn(+slider.value));
function show(t) {
  const before = t + (shownWalk.backward ? 1 : -1), old = before < 0 || before >= T ? 0 : at('c', before);
  const now = {i: at('i', t), f: at('f', t), g: at('g', t), o: at('o', t), c: at('c', t)};
  const tanh = Math.tanh(now.c), set = (name, words) => { values[name].textContent = words; };
  for (const q of 'ifgo') {
    set(q, shown(now[q]));
    const size = 56 * Math.abs(now[q]);
    values['bar-' + q].setAttribute('y', 252 - size);
    values['bar-' + q].setAttribute('height', size);
  }
  set('old', shown(old));
  set('kept', 'f·c = ' + shown(now.f * old));
  set('written', 'i·g = ' + shown(now.i * now.g));
  set('c', shown(now.c));
  set('tanh', shown(tanh));
  set('h', shown(now.o * tanh));
  slider.value = t;
  document.getElementById('column-number').textContent = t;
  document.getElementById('now').textContent = `c[${t}] = f · c[${before < 0 ? '−1' : before}] + i · g = ${shown(now.f)} · `
    + `${shown(old)} + ${shown(now.i)} · ${shown(now.g)} = ${shown(now.c)}\n${DATA.projected ? '' : `h[${t}] = `}o · tanh(c) = `
    + `${shown(now.o)} · ${shown(tanh)} = ${shown(now.o * tanh)}${DATA.projected ? `\nh[${t}] = W_hr · (o · tanh(c))` : ''}`;
}
followers.push(show);

// ---- one unit over the line
{
  const inner = tracks(document.getElementById('one'), CW), of = q => DATA.path.map((_, t) => at(q, t));
  pictureTrack(inner, '', T, CW, '', 44);
  axisTrack(inner, 't', T, CW);
  curves(track(inner, 'i f o', T * CW, 110), T, CW, 110, 0, 1, [{name: 'i', values: of('i'), class: 's1'},
    {name: 'f', values: of('f'), class: 's2', dash: '7 3'}, {name: 'o', values: of('o'), class: 's3', dash: '2 3'}],
  [0, .5, 1]);
  const c = of('c'), top = Math.max(1, Math.ceil(Math.max(...c.map(Math.abs))));
  const h = c.map((v, t) => at('o', t) * Math.tanh(v));
  curves(track(inner, DATA.projected ? 'c g' : 'c g h', T * CW, 140), T, CW, 140, -top, top, [{name: 'c', values: c, class: 's2'},
    {name: 'g', values: of('g'), class: 's1', dash: '2 3'}, {name: SHORT, values: h, class: 's3', dash: '7 3'}], [-top, 0, top]);
  const key = (kind, style, words) => el('span', {class: 'key ' + kind}, el('i', {style: `border-top-style:${style}`}), words);
  document.getElementById('one').append(el('p', {class: 'small'}, key('s1', 'solid', 'i'), key('s2', 'dashed', 'f'),
    key('s3', 'dotted', 'o'), el('br'), key('s2', 'solid', 'c'), key('s1', 'dotted', 'g'), key('s3', 'dashed', SHORT)));
}

// ---- a weight matrix with its four gates
{
  const weight = unpack(DATA.weight), host = document.getElementById('weight');
  const room = Math.min(640, host.clientWidth - 60), cw = room / weight.columns, rh = 320 / weight.rows;
  const inner = el('div', {class: 'inner'}), lane = track(inner, [...'ifgo'].map(q => el('b', {class: 'quarter'}, q)),
    room, 0, 'quarters');
  host.append(inner);
  const canvas = el('canvas', {role: 'img', 'aria-label': 'weight_ih_l0'});
  lane.append(canvas);
  const draw = () => {
    const table = palette('div');
    canvas.width = weight.columns;
    canvas.height = weight.rows;
    canvas.style.cssText = `width:${room}px;height:320px;image-rendering:pixelated`;
    const context = canvas.getContext('2d'), image = context.createImageData(weight.columns, weight.rows);
    for (let k = 0; k < weight.rows * weight.columns; k++) {
      const level = 3 * weight.level(Math.floor(k / weight.columns), k % weight.columns);
      image.data.set([table[level], table[level + 1], table[level + 2], 255], 4 * k);
    }
    context.putImageData(image, 0, 0);
  };
  draw();
  redraws.push(draw);
  for (const part of [1, 2, 3]) {
    const rule = el('div', {class: 'split'});
    rule.style.top = part * 80 + 'px';
    lane.append(rule);
  }
  canvas.addEventListener('pointermove', event => {
    const box = canvas.getBoundingClientRect();
    const r = Math.min(weight.rows - 1, Math.max(0, Math.floor((event.clientY - box.top) / rh)));
    const c = Math.min(weight.columns - 1, Math.max(0, Math.floor((event.clientX - box.left) / cw)));
    tip(`${'ifgo'[Math.floor(4 * r / weight.rows)]}  ${shown(weight.at(r, c), 3)}`, event.clientX, event.clientY);
  });
  canvas.addEventListener('pointerleave', untip);
}
setColumn(DATA.spans.length > 1 ? DATA.spans[1].start : 0);
