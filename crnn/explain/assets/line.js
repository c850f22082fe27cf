// The page of a line: columns to text, then every unit of the LSTM, then one unit with its numbers.

const T = DATA.columns, CW = columnWidth(T), STEP = DATA.step;
const pixels = t => `${word('pixels', '像素')} ${t * STEP}–${(t + 1) * STEP - 1} ${word('of', '/')} ${DATA.width}`;
const logs = unpack(DATA.log_probs);
const quantities = DATA.quantities;
const walks = DATA.walks.map(walk => ({...walk,
  ...Object.fromEntries(quantities.map(q => [q.name, unpack(walk[q.name])]))}));
const state = {walk: DATA.walk, order: Object.keys(DATA.orders)[0], unit: DATA.unit};

// ---- from columns to text
{
  const inner = tracks(document.getElementById('overview'), CW);
  pictureTrack(inner, both('picture', '图片'), T, CW, word('the line', '这一行'));
  axisTrack(inner, both('column', '列'), T, CW);
  const path = track(inner, both('likeliest class', '概率最大的类别'), T * CW, 20);
  DATA.path.forEach((k, t) => {
    const cell = el('span', {class: 'cell ' + (k ? 'hit' : 'blank')}, k ? DATA.symbols[k] : '–');
    cell.style.left = t * CW + 'px';
    cell.style.width = CW - 1 + 'px';
    path.append(cell);
  });
  const merged = track(inner, both('merged, blanks dropped', '合并并去掉空白符'), T * CW, 26);
  DATA.spans.forEach(span => {
    const words = () => `“${span.text}”  ${(100 * span.p).toFixed(1)} %\n${word('columns', '列')} ${span.start}–${
      span.end - 1}, ${word('pixels', '像素')} ${span.start * STEP}–${span.end * STEP - 1}`;
    const place = node => { const box = node.getBoundingClientRect(); tip(words(), box.left, box.bottom - 14); };
    const block = el('button', {class: 'block',
      onpointerenter: event => { setColumn(span.start); place(event.target); },
      onfocus: event => { setColumn(span.start); place(event.target); }, onpointerleave: untip, onblur: untip}, span.text);
    block.style.left = span.start * CW + 'px';
    block.style.width = Math.max(7, (span.end - span.start) * CW - 1) + 'px';
    const name = () => block.setAttribute('aria-label', words());
    name();
    speakers.push(name);
    merged.append(block);
  });
  const rh = 17;
  const names = DATA.symbols.map(name => {
    const node = el('span', {}, name);
    node.style.cssText = `height:${rh}px;line-height:${rh}px`;
    return node;
  });
  const lane = track(inner, names, T * CW, 0, 'rows');
  heat(lane, {columns: T, cw: CW, rh, colour: 'seq', rows: () => DATA.symbols.map((_, k) => k),
    get: logs.level, label: () => word('log-probabilities: rows are characters, columns are time steps; arrow keys move, '
      + 'numbers are spoken', '对数概率：行是字符，列是时间步；用方向键移动，数值会被读出'),
    tell: (k, t) => `${DATA.symbols[k]}  ${word('in column', '列')} ${t}\n${word('log-probability', '对数概率')} ${
      shown(logs.at(k, t))}\n${word('probability', '概率')} ${(100 * Math.exp(logs.at(k, t))).toFixed(2)} %\n${pixels(t)}`});
  document.getElementById('log-legend').append(legend('seq', '≤ ' + shown(logs.low, 0), '0', 'ln p'));
}

// ---- every unit
const rowHeight = units => Math.max(1, Math.min(14, Math.round(240 / units)));
const order = quantity => {
  const units = walks[state.walk][quantity].columns, ordered = walks[state.walk].orders[state.order];
  return ordered.length === units ? ordered : [...Array(units).keys()]; // with a projection h has units of its own
};
const drawings = [];
for (const q of quantities) {
  const host = document.getElementById('heat-' + q.name), rh = rowHeight(walks[0][q.name].columns);
  const inner = tracks(host, CW);
  pictureTrack(inner, '', T, CW, '', 34);
  const units = walks[0][q.name].columns;
  const lane = track(inner, both(`${units} units`, `${units} 个单元`), T * CW, 0);
  drawings.push(heat(lane, {columns: T, cw: CW, rh, colour: q.colour, rows: () => order(q.name),
    get: (u, t) => walks[state.walk][q.name].level(t, u),
    label: () => word(`${q.title}: rows are units, columns are time steps; arrow keys move, Enter picks the unit`,
      `${q.zh}：行是单元，列是时间步；用方向键移动，回车选择单元`),
    tell: (u, t) => `${q.symbol}  ${word('unit', '单元')} ${u}, ${word('column', '列')} ${t}\n${shown(walks[state.walk][q.name].at(t, u), 3)}`,
    pick: u => pickUnit(u)}));
  const range = walks[0][q.name];
  document.getElementById('legend-' + q.name).append(
    legend(q.colour, (range.cut ? '≤ ' : '') + shown(range.low, 0), (range.cut ? '≥ ' : '') + shown(range.high, 0)));
}

function pickUnit(unit) {
  state.unit = Math.max(0, Math.min(walks[0].c.columns - 1, unit));
  drawUnit();
}

const tabs = document.getElementById('walks');
walks.forEach((walk, k) => tabs.append(el('button', {type: 'button', 'aria-pressed': k === state.walk,
  onclick: () => {
    state.walk = k;
    [...tabs.children].forEach((button, i) => button.setAttribute('aria-pressed', i === k));
    redrawAll();
  }}, ...both(walk.name, walk.zh))));
const sort = document.getElementById('order');
for (const [name, [en, zh]] of Object.entries(DATA.orders)) {
  const option = el('option', {value: name});
  const rename = () => { option.textContent = word(en, zh); };
  rename();
  speakers.push(rename);
  sort.append(option);
}
sort.addEventListener('change', () => { state.order = sort.value; redrawAll(); });
function redrawAll() { drawings.forEach(draw => draw()); drawUnit(); }

// ---- one unit
const number = document.getElementById('unit');
number.max = walks[0].c.columns - 1;
number.addEventListener('input', () => { if (number.value !== '') pickUnit(+number.value); });
const unitInner = tracks(document.getElementById('one'), CW);
pictureTrack(unitInner, '', T, CW, '', 34);
axisTrack(unitInner, both('column', '列'), T, CW);
const gatesLane = track(unitInner, both('gates, 0 to 1', '门，0 到 1'), T * CW, 120);
const stateLane = track(unitInner, both('memory', '记忆'), T * CW, 150);

function drawUnit() {
  const walk = walks[state.walk], u = state.unit, of = q => DATA.path.map((_, t) => walk[q].at(t, u));
  if (document.activeElement !== number) number.value = u;
  curves(gatesLane, T, CW, 120, 0, 1, [{name: word('input gate', '输入门'), values: of('i'), class: 's1'},
    {name: word('forget gate', '遗忘门'), values: of('f'), class: 's2', dash: '7 3'},
    {name: word('output gate', '输出门'), values: of('o'), class: 's3', dash: '2 3'}], [0, .5, 1]);
  const c = of('c'), top = Math.max(1, Math.ceil(Math.max(...c.map(Math.abs))));
  const lines = [{name: word('long memory c', '长期记忆 c'), values: c, class: 's2'},
    {name: word('candidate g', '候选值 g'), values: of('g'), class: 's1', dash: '2 3'}];
  if (walk.h.columns > u && !DATA.projected) {
    lines.push({name: word('short memory h', '短期记忆 h'), values: of('h'), class: 's3', dash: '7 3'});
  }
  curves(stateLane, T, CW, 150, -top, top, lines, [-top, 0, top]);
  tell(currentColumn);
}

function tell(t) {
  const walk = walks[state.walk], u = state.unit, at = q => walk[q].at(t, u), before = t + (walk.backward ? 1 : -1);
  const old = before < 0 || before >= T ? 0 : walk.c.at(before, u);
  const lines = [word(`unit ${u}, ${walk.name}, column ${t}`, `单元 ${u}，${walk.zh}，列 ${t}`) + ` (${pixels(t)})`,
    `i = ${shown(at('i'), 3)}   f = ${shown(at('f'), 3)}   g = ${shown(at('g'), 3)}   o = ${shown(at('o'), 3)}`,
    `c = f · ${word('c before', '上一步的 c')} + i · g = ${shown(at('f'))} · ${shown(old)} + ${shown(at('i'))} · ${shown(at('g'))} = ${shown(at('c'))}`];
  lines.push(DATA.projected ? `o · tanh(c) = ${shown(at('o') * Math.tanh(at('c')))}${word(', then the projection', '，然后经过投影')}`
    : `h = o · tanh(c) = ${shown(at('o'))} · ${shown(Math.tanh(at('c')))} = ${shown(at('h'))}`);
  document.getElementById('now').textContent = lines.join('\n');
}
followers.push(tell);
speakers.push(drawUnit);
drawUnit();
setColumn(DATA.spans.length ? DATA.spans[0].start : 0);
