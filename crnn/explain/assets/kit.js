'use strict';
// What all pages share: numbers out of base64, heat maps, curves, one cursor over all tracks, keyboard and tooltip.

const DATA = JSON.parse(document.getElementById('data').textContent);
const root = document.documentElement;

// ---- dark or light: as the system has it, or as the button says
const darkTheme = matchMedia('(prefers-color-scheme: dark)');
const redraws = []; // what has to be painted again when the theme changes
const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark' : darkTheme.matches;
const themeButton = document.getElementById('theme');
function paint() {
  themeButton.replaceChildren(...(isDark() ? both('Light', '浅色') : both('Dark', '深色')));
  redraws.forEach(draw => draw());
}
try {
  const kept = localStorage.getItem('crnn-theme');
  if (kept === 'dark' || kept === 'light') root.dataset.theme = kept;
} catch { /* as the system has it */ }
darkTheme.addEventListener('change', paint);
themeButton.addEventListener('click', () => {
  root.dataset.theme = isDark() ? 'light' : 'dark';
  try { localStorage.setItem('crnn-theme', root.dataset.theme); } catch { /* not kept, then */ }
  paint();
});

// ---- the language
const word = (en, zh) => root.lang === 'zh' ? zh : en;
const both = (en, zh) => [el('span', {lang: 'en'}, en), el('span', {lang: 'zh'}, zh)];
const speakers = []; // what has to be said again when the language changes
const languageButtons = [...document.querySelectorAll('[data-lang]')];
function speak(language) {
  root.lang = language;
  languageButtons.forEach(button => button.setAttribute('aria-pressed', button.dataset.lang === language));
  document.title = document.querySelector(`h1 [lang=${language}]`).textContent;
  speakers.forEach(say => say());
}
languageButtons.forEach(button => button.addEventListener('click', () => speak(button.dataset.lang)));

function bytes(b64) {
  return Uint8Array.from(atob(b64), c => c.charCodeAt(0));
}

/** A packed matrix: at(row, column) is the number, level(row, column) its place in 0..255 between its colours' ends. */
function unpack(packed) {
  const raw = bytes(packed.b64);
  const steps = packed.bits === 16 ? new Uint16Array(raw.buffer) : raw;
  const most = 2 ** packed.bits - 1, width = packed.shape[1], size = (packed.high - packed.low) / most;
  const at = (r, c) => packed.low + steps[r * width + c] * size;
  const [low, high] = packed.colours;
  return {
    rows: packed.shape[0], columns: width, low, high, at, cut: low > packed.low,
    level: (r, c) => Math.max(0, Math.min(255, Math.round((at(r, c) - low) / (high - low) * 255))),
  };
}

const tables = Object.fromEntries(Object.entries(DATA.palettes).map(([name, b64]) => [name, bytes(b64)]));
function palette(kind) {
  return tables[kind === 'seq' ? 'seq' : isDark() ? 'div-dark' : 'div-light'];
}

function el(tag, attributes = {}, ...children) {
  const node = tag === 'svg' || el.svg.has(tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}
el.svg = new Set(['path', 'line', 'rect', 'text', 'g', 'circle', 'polyline', 'title']);
paint();

// ---- tooltip, and the same words for those who do not see it
const tipBox = document.body.appendChild(el('div', {class: 'tip', 'aria-hidden': 'true'}));
const spoken = document.body.appendChild(el('div', {class: 'sr', 'aria-live': 'polite'}));
function tip(words, x, y) {
  tipBox.textContent = words;
  const {width, height} = tipBox.getBoundingClientRect();
  tipBox.style.left = Math.max(4, Math.min(x + 14, innerWidth - width - 6)) + 'px';
  tipBox.style.top = (y + 18 + height > innerHeight ? y - height - 10 : y + 18) + 'px';
  tipBox.style.visibility = 'visible';
}
function untip() { tipBox.style.visibility = 'hidden'; }
addEventListener('scroll', untip, {passive: true});
addEventListener('keydown', event => { if (event.key === 'Escape') untip(); });

// ---- tracks: rows that share the columns of the line
const GUTTER = parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--gutter'));
function columnWidth(columns, least = 9, most = 22) {
  const room = (document.querySelector('main').clientWidth || innerWidth) - 2 * 24 - 2 * 18 - GUTTER - 8;
  return Math.max(least, Math.min(most, Math.floor(room / columns)));
}

const cursors = [], followers = [];
let currentColumn = 0;
function setColumn(column) {
  currentColumn = column;
  for (const {node, width} of cursors) node.style.left = GUTTER + column * width + 'px';
  followers.forEach(follow => follow(column));
}

const wrappers = [];
/** An empty set of tracks within `host`; those of a page scroll together. */
function tracks(host, width) {
  const inner = el('div', {class: 'inner'});
  const wrapper = el('div', {class: 'tracks', tabindex: '-1'}, inner);
  wrapper.addEventListener('scroll', () => {
    for (const other of wrappers) if (other.scrollLeft !== wrapper.scrollLeft) other.scrollLeft = wrapper.scrollLeft;
  }, {passive: true});
  wrappers.push(wrapper);
  const node = el('div', {class: 'cursor'});
  node.style.width = width + 'px';
  node.style.left = GUTTER + 'px';
  inner.append(node);
  cursors.push({node, width});
  host.append(wrapper);
  return inner;
}

/** One row: words on the left, `lane` on the right. */
function track(inner, label, width, height, labelClass = '') {
  const lane = el('div', {class: 'lane'});
  lane.style.width = width + 'px';
  if (height) lane.style.height = height + 'px';
  const gut = el('div', {class: 'gut ' + labelClass}, ...[].concat(label));
  inner.append(el('div', {class: 'track'}, gut, lane));
  return lane;
}

function pictureTrack(inner, label, columns, cw, alt, most = 90) {
  const width = columns * cw, height = Math.min(most, Math.round(width * DATA.height / DATA.width));
  const lane = track(inner, label, width, height);
  const image = el('img', {src: DATA.picture, alt, width, height});
  image.style.height = height + 'px';
  image.style.width = width + 'px';
  lane.append(image);
  return lane;
}

function axisTrack(inner, label, columns, cw) {
  const lane = track(inner, label, columns * cw, 16);
  lane.classList.add('axis');
  const every = [1, 2, 5, 10, 20, 50].find(n => n * cw >= 28) || 100;
  for (let t = 0; t < columns; t += every) {
    const mark = el('span', {}, String(t));
    mark.style.left = (t + .5) * cw + 'px';
    lane.append(mark);
  }
  return lane;
}

// ---- heat maps: one canvas pixel per number, scaled by the style sheet
/**
 * map: {values, rows (order of the rows), get(row, column) 0..255, columns, cw, rh, colour, label, tell(row, column),
 *       pick(row)}; draws again with draw().
 */
function heat(lane, map) {
  const canvas = el('canvas', {tabindex: '0', role: 'img'});
  const name = () => canvas.setAttribute('aria-label', typeof map.label === 'function' ? map.label() : map.label);
  name();
  speakers.push(name);
  canvas.style.imageRendering = 'pixelated';
  let row = 0, last = 0;
  function draw() {
    const table = palette(map.colour), rows = map.rows(), columns = map.columns;
    canvas.width = columns;
    canvas.height = rows.length;
    canvas.style.width = columns * map.cw + 'px';
    canvas.style.height = rows.length * map.rh + 'px';
    const context = canvas.getContext('2d'), image = context.createImageData(columns, rows.length);
    rows.forEach((r, y) => {
      for (let t = 0; t < columns; t++) {
        const level = 3 * map.get(r, t), at = 4 * (y * columns + t);
        image.data.set([table[level], table[level + 1], table[level + 2], 255], at);
      }
    });
    context.putImageData(image, 0, 0);
  }
  function show(y, t, say) {
    const rows = map.rows(), box = canvas.getBoundingClientRect();
    row = Math.max(0, Math.min(rows.length - 1, y));
    const column = last = Math.max(0, Math.min(map.columns - 1, t));
    const step = map.step || 1; // columns of the map per column of the line
    setColumn(Math.floor(column / step));
    const words = map.tell(rows[row], column);
    tip(words, box.left + (column + .5) * map.cw, box.top + (row + .5) * map.rh);
    if (say) spoken.textContent = words;
  }
  function under(event) {
    const box = canvas.getBoundingClientRect();
    show(Math.floor((event.clientY - box.top) / map.rh), Math.floor((event.clientX - box.left) / map.cw), false);
  }
  canvas.addEventListener('pointermove', under);
  canvas.addEventListener('pointerdown', under);
  canvas.addEventListener('pointerleave', untip);
  canvas.addEventListener('blur', untip);
  canvas.addEventListener('click', () => { if (map.pick) map.pick(map.rows()[row]); });
  canvas.addEventListener('keydown', event => {
    const by = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0],
      PageUp: [-10, 0], PageDown: [10, 0], Home: [0, -1e6], End: [0, 1e6]}[event.key];
    if (by) {
      event.preventDefault();
      show(row + by[0], last + by[1], true);
    } else if (event.key === 'Enter' && map.pick) map.pick(map.rows()[row]);
  });
  lane.append(canvas);
  draw();
  redraws.push(draw);
  return draw;
}

function legend(colour, low, high, unit = '') {
  const canvas = el('canvas', {width: 256, height: 1, 'aria-hidden': 'true'});
  const draw = () => {
    const table = palette(colour), context = canvas.getContext('2d'), image = context.createImageData(256, 1);
    for (let i = 0; i < 256; i++) image.data.set([table[3 * i], table[3 * i + 1], table[3 * i + 2], 255], 4 * i);
    context.putImageData(image, 0, 0);
  };
  draw();
  redraws.push(draw);
  return el('span', {class: 'legend'}, low, canvas, high + (unit ? ' ' + unit : ''));
}

// ---- curves over the columns
/** series: [{name, values, class, dash}]; the scale stands on the left. */
function curves(lane, columns, cw, height, low, high, series, ticks) {
  const width = columns * cw, y = v => (height - 6) - (v - low) / (high - low) * (height - 12);
  const svg = el('svg', {width, height, viewBox: `0 0 ${width} ${height}`, class: 'plot', role: 'img',
    'aria-label': series.map(s => s.name).join(', ') + word(' over the columns', '，按列')});
  for (const tick of ticks) {
    svg.append(el('line', {x1: 0, x2: width, y1: y(tick), y2: y(tick), stroke: 'var(--rule)'}));
  }
  const gut = lane.previousSibling;
  gut.classList.add('scale');
  gut.querySelectorAll('i').forEach(mark => mark.remove());
  for (const tick of ticks) {
    const mark = el('i', {}, shown(tick, Number.isInteger(tick) ? 0 : 1));
    mark.style.top = y(tick) - 7 + 'px';
    gut.append(mark);
  }
  for (const one of series) {
    const points = one.values.map((v, t) => `${((t + .5) * cw).toFixed(1)},${y(v).toFixed(1)}`).join(' ');
    svg.append(el('polyline', {points, fill: 'none', class: one.class, 'stroke-width': 2.2,
      'stroke-dasharray': one.dash, 'stroke-linejoin': 'round'}));
  }
  const follow = event => setColumn(Math.max(0, Math.min(columns - 1,
    Math.floor((event.clientX - svg.getBoundingClientRect().left) / cw))));
  svg.addEventListener('pointermove', follow);
  svg.addEventListener('pointerdown', follow);
  lane.replaceChildren(svg);
}

function shown(value, digits = 2) {
  const words = value.toFixed(digits).replace('-', '−');
  return /^−0\.?0*$/.test(words) ? words.slice(1) : words;
}
