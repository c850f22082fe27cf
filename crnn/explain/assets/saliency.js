// Where a reading comes from: one character's pixels, all characters, influence by distance, the LSTM's context.

const T = DATA.columns, CW = columnWidth(T), STEP = DATA.step, W = DATA.width, H = DATA.height, PX = CW / STEP;
const maps = unpack(DATA.maps), stripes = unpack(DATA.stripes), context = unpack(DATA.lstm);
let chosen = 0;
const percent = v => (100 * v).toPrecision(2) + ' %';
const strongest = value => word(`${value} of the strongest`, `最强处的 ${value}`);

// ---- one character
const inner = tracks(document.getElementById('one'), CW);
const lane = pictureTrack(inner, both('picture', '图片'), T, CW, word('the line', '这一行'), 120);
const over = lane.appendChild(el('canvas', {width: W, height: H, tabindex: '0', role: 'img',
  'aria-label': word('pixels of the character; left and right change the character', '字符的像素；左右方向键切换字符')}));
const high = parseFloat(lane.querySelector('img').style.height);
over.style.cssText = `position:absolute;left:0;top:0;width:${T * CW}px;height:${high}px;mix-blend-mode:multiply`;
axisTrack(inner, both('column', '列'), T, CW);
const row = track(inner, both('character', '字符'), T * CW, 26);
const blocks = DATA.spans.map((span, k) => {
  const block = el('button', {class: 'block', 'aria-label': `${span.text}, ${word('column', '列')} ${span.at}`, onclick: () => choose(k),
    onfocus: () => choose(k)}, span.text);
  block.style.left = span.start * CW + 'px';
  block.style.width = Math.max(7, (span.end - span.start) * CW - 1) + 'px';
  row.append(block);
  return block;
});
function choose(k) {
  chosen = Math.max(0, Math.min(DATA.spans.length - 1, k));
  const image = new ImageData(W, H);
  for (let i = 0; i < W * H; i++) {
    const v = Math.sqrt(maps.at(chosen, i)); // weak ones can be seen, too
    image.data.set([213 + 42 * (1 - v), 94 + 161 * (1 - v), 255 * (1 - v), 255], 4 * i);
  }
  over.getContext('2d').putImageData(image, 0, 0);
  const span = DATA.spans[chosen];
  document.getElementById('which').textContent = word(`“${span.text}”, said at column ${span.at}`,
    `“${span.text}”，在第 ${span.at} 列读出`);
  blocks.forEach((block, i) => block.classList.toggle('chosen', i === chosen));
  setColumn(span.at);
}
over.addEventListener('pointermove', event => {
  const box = over.getBoundingClientRect(), x = Math.floor((event.clientX - box.left) / PX);
  const y = Math.floor((event.clientY - box.top) / box.height * H);
  if (x < 0 || y < 0 || x >= W || y >= H) return;
  const value = shown(maps.at(chosen, y * W + x));
  tip(`“${DATA.spans[chosen].text}”  ${word('pixel', '像素')} ${x}, ${y}\n${strongest(value)}`,
    event.clientX, event.clientY);
});
over.addEventListener('pointerleave', untip);
over.addEventListener('keydown', event => {
  if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
    event.preventDefault();
    choose(chosen + (event.key === 'ArrowRight' ? 1 : -1));
    spoken.textContent = document.getElementById('which').textContent;
  }
});

// ---- all characters
{
  const all = tracks(document.getElementById('stripes'), CW), rh = 17;
  pictureTrack(all, '', T, CW, '', 34);
  const names = DATA.spans.map(span => {
    const node = el('span', {}, span.text);
    node.style.cssText = `height:${rh}px;line-height:${rh}px`;
    return node;
  });
  heat(track(all, names, T * CW, 0, 'rows'), {columns: W, cw: PX, rh, colour: 'seq', step: STEP,
    rows: () => DATA.spans.map((_, k) => k), get: stripes.level, pick: choose,
    label: () => word('characters over pixel columns', '字符与像素列'),
    tell: (k, x) => `“${DATA.spans[k].text}”  ${word('pixel column', '像素列')} ${x}\n${strongest(shown(stripes.at(k, x)))}`});
  document.getElementById('stripes-legend').append(legend('seq', '0', '1'));
}

// ---- influence by distance
{
  const width = 900, height = 300, left = 62, bottom = 46, far = Math.max(...DATA.profiles.map(
    p => Math.max(-p.from, p.from + p.values.length)));
  const x = d => left + (d + far) / (2 * far) * (width - left - 10);
  const y = v => 12 + v / DATA.least * (height - bottom - 12);
  const svg = el('svg', {viewBox: `0 0 ${width} ${height}`, width, height, role: 'img',
    'aria-label': word('share of the influence by distance in pixels', '影响的比例与距离（像素）')});
  const write = (at, down, words, anchor) => svg.append(el('text', {x: at, y: down, 'text-anchor': anchor,
    'font-size': 12, style: 'fill:var(--soft)'}, words));
  for (let v = 0; v >= DATA.least; v--) {
    svg.append(el('line', {x1: left, x2: width - 10, y1: y(v), y2: y(v), stroke: 'var(--rule)'}));
    write(left - 8, y(v) + 4, ['1', '0.1', '0.01', '10⁻³', '10⁻⁴', '10⁻⁵'][-v], 'end');
  }
  const every = [8, 16, 20, 40, 50, 100, 200, 400].find(n => far / n <= 7) || 800;
  for (let d = -Math.floor(far / every) * every; d <= far; d += every) {
    svg.append(el('line', {x1: x(d), x2: x(d), y1: 12, y2: height - bottom, stroke: 'var(--rule)'}));
    write(x(d), height - bottom + 18, (d > 0 ? '+' : '') + String(d).replace('-', '−'), 'middle');
  }
  write(x(0), height - 6, '', 'middle');
  const across = svg.lastChild;
  const name = () => { across.textContent = word('distance in pixels, left to right', '距离（像素），从左到右'); };
  name();
  speakers.push(name);
  const kinds = ['s1', 's2'], dashes = ['6 4', null];
  DATA.profiles.forEach((p, k) => svg.append(el('polyline', {fill: 'none', class: kinds[k], 'stroke-width': 2,
    'stroke-dasharray': dashes[k], points: p.values.map((v, i) => `${x(p.from + i).toFixed(1)},${y(v).toFixed(1)}`).join(' ')})));
  svg.addEventListener('pointermove', event => {
    const box = svg.getBoundingClientRect();
    const d = Math.round(((event.clientX - box.left) / box.width * width - left) / (width - left - 10) * 2 * far - far);
    const words = DATA.profiles.filter(p => p.values[d - p.from] !== undefined).map(
      p => `${word(p.name, p.zh)}: ${p.values[d - p.from] <= DATA.least ? word('nothing', '无')
        : percent(10 ** p.values[d - p.from])}`);
    tip([word(`distance ${d} pixels`, `距离 ${d} 像素`), ...words].join('\n'), event.clientX, event.clientY);
  });
  svg.addEventListener('pointerleave', untip);
  document.getElementById('profile').append(svg, el('p', {class: 'small'}, ...DATA.profiles.map((p, k) => el('span',
    {class: 'key ' + kinds[k]}, el('i', {style: `border-top-style:${k ? 'solid' : 'dashed'}`}), ...both(p.name, p.zh)))));
}

// ---- the LSTM's context
{
  const all = tracks(document.getElementById('lstm'), CW), rh = Math.max(2, Math.min(CW, Math.floor(420 / T)));
  pictureTrack(all, '', T, CW, '', 34);
  axisTrack(all, both('column heard', '被听到的列'), T, CW);
  heat(track(all, both('column that speaks', '输出的列'), T * CW, 0), {columns: T, cw: CW, rh, colour: 'seq',
    rows: () => [...Array(T).keys()], get: context.level,
    label: () => word('influence of columns on columns', '列与列之间的影响'),
    tell: (t, other) => `${word(`column ${t} hears column ${other}`, `第 ${t} 列听到第 ${other} 列`)}\n${percent(10 ** context.at(t, other))}`});
  document.getElementById('lstm-legend').append(legend('seq', '≤ 0.001 %', percent(10 ** context.high)));
}
choose(Math.floor(DATA.spans.length / 2));
speakers.push(() => choose(chosen));
