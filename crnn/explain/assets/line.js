// The page of a line: columns to text, then every unit of the LSTM, then one unit with its numbers.

const T = DATA.columns, CW = columnWidth(T), STEP = DATA.step;
const pixels = t => `pixels ${t * STEP}–${(t + 1) * STEP - 1} of ${DATA.width}`;
const logs = unpack(DATA.log_probs);
const quantities = DATA.quantities;
const walks = DATA.walks.map(walk => ({...walk,
  ...Object.fromEntries(quantities.map(q => [q.name, unpack(walk[q.name])]))}));
const state = {walk: DATA.walk, order: Object.keys(DATA.orders)[0], unit: DATA.unit};

// ---- from columns to text
{
  const inner = tracks(document.getElementById('overview'), CW);
  pictureTrack(inner, 'picture', T, CW, 'the line');
  axisTrack(inner, 'column', T, CW);
  const path = track(inner, 'likeliest class', T * CW, 20);
  DATA.path.forEach((k, t) => {
    const cell = el('span', {class: 'cell ' + (k ? 'hit' : 'blank')}, k ? DATA.symbols[k] : '–');
    cell.style.left = t * CW + 'px';
    cell.style.width = CW - 1 + 'px';
    path.append(cell);
  });
  const merged = track(inner, 'merged, blanks dropped', T * CW, 26);
  DATA.spans.forEach(span => {
    const words = `“${span.text}”  ${(100 * span.p).toFixed(1)} %\ncolumns ${span.start}–${span.end - 1}, `
      + `pixels ${span.start * STEP}–${span.end * STEP - 1}`;
    const place = node => { const box = node.getBoundingClientRect(); tip(words, box.left, box.bottom - 14); };
    const block = el('button', {class: 'block', 'aria-label': words,
      onpointerenter: event => { setColumn(span.start); place(event.target); },
      onfocus: event => { setColumn(span.start); place(event.target); }, onpointerleave: untip, onblur: untip}, span.text);
    block.style.left = span.start * CW + 'px';
    block.style.width = Math.max(7, (span.end - span.start) * CW - 1) + 'px';
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
    get: logs.level, label: 'log-probabilities: rows '
      + 'are characters, columns are time steps; arrow keys move, numbers are spoken',
    tell: (k, t) => `${DATA.symbols[k]}  in column ${t}\nlog-probability ${shown(logs.at(k, t))}\nprobability `
      + `${(100 * Math.exp(logs.at(k, t))).toFixed(2)} %\n${pixels(t)}`});
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
  const lane = track(inner, `${walks[0][q.name].columns} units`, T * CW, 0);
  drawings.push(heat(lane, {columns: T, cw: CW, rh, colour: q.colour, rows: () => order(q.name),
    get: (u, t) => walks[state.walk][q.name].level(t, u),
    label: `${q.title}: rows are units, columns are time steps; arrow keys move, Enter picks the unit`,
    tell: (u, t) => `${q.symbol}  unit ${u}, column ${t}\n${shown(walks[state.walk][q.name].at(t, u), 3)}`,
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
  }}, walk.name)));
const sort = document.getElementById('order');
for (const [name, words] of Object.entries(DATA.orders)) sort.append(el('option', {value: name}, words));
sort.addEventListener('change', () => { state.order = sort.value; redrawAll(); });
function redrawAll() { drawings.forEach(draw => draw()); drawUnit(); }

// ---- one unit
const number = document.getElementById('unit');
number.max = walks[0].c.columns - 1;
number.addEventListener('input', () => { if (number.value !== '') pickUnit(+number.value); });
const unitInner = tracks(document.getElementById('one'), CW);
pictureTrack(unitInner, '', T, CW, '', 34);
axisTrack(unitInner, 'column', T, CW);
const gatesLane = track(unitInner, 'gates, 0 to 1', T * CW, 120);
const stateLane = track(unitInner, 'memory', T * CW, 150);

function drawUnit() {
  const walk = walks[state.walk], u = state.unit, of = q => DATA.path.map((_, t) => walk[q].at(t, u));
  if (document.activeElement !== number) number.value = u;
  curves(gatesLane, T, CW, 120, 0, 1, [{name: 'input gate', values: of('i'), class: 's1'},
    {name: 'forget gate', values: of('f'), class: 's2', dash: '7 3'},
    {name: 'output gate', values: of('o'), class: 's3', dash: '2 3'}], [0, .5, 1]);
  const c = of('c'), top = Math.max(1, Math.ceil(Math.max(...c.map(Math.abs))));
  const lines = [{name: 'long memory c', values: c, class: 's2'},
    {name: 'candidate g', values: of('g'), class: 's1', dash: '2 3'}];
  if (walk.h.columns > u && !DATA.projected) lines.push({name: 'short memory h', values: of('h'), class: 's3', dash: '7 3'});
  curves(stateLane, T, CW, 150, -top, top, lines, [-top, 0, top]);
  tell(currentColumn);
}

function tell(t) {
  const walk = walks[state.walk], u = state.unit, at = q => walk[q].at(t, u), before = t + (walk.backward ? 1 : -1);
  const old = before < 0 || before >= T ? 0 : walk.c.at(before, u);
  const lines = [`unit ${u}, ${walk.name}, column ${t} (${pixels(t)})`,
    `i = ${shown(at('i'), 3)}   f = ${shown(at('f'), 3)}   g = ${shown(at('g'), 3)}   o = ${shown(at('o'), 3)}`,
    `c = f · c before + i · g = ${shown(at('f'))} · ${shown(old)} + ${shown(at('i'))} · ${shown(at('g'))} = ${shown(at('c'))}`];
  lines.push(DATA.projected ? `o · tanh(c) = ${shown(at('o') * Math.tanh(at('c')))}, then the projection`
    : `h = o · tanh(c) = ${shown(at('o'))} · ${shown(Math.tanh(at('c')))} = ${shown(at('h'))}`);
  document.getElementById('now').textContent = lines.join('\n');
}
followers.push(tell);
drawUnit();
setColumn(DATA.spans.length ? DATA.spans[0].start : 0);
