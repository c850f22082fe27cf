// A dialog in which a rectangle is drawn around one line of a photograph: by mouse, finger or keyboard.
const SMALLEST = 8; // pixels of a side
const crop = { card: null, bitmap: null, box: null };

function clampBox({ x, y, width, height }) {
  const { width: most, height: high } = crop.bitmap;
  width = Math.round(Math.min(Math.max(width, SMALLEST), most));
  height = Math.round(Math.min(Math.max(height, SMALLEST), high));
  x = Math.round(Math.min(Math.max(x, 0), most - width));
  y = Math.round(Math.min(Math.max(y, 0), high - height));
  return { x, y, width, height };
}

function placeBox(box) {
  crop.box = clampBox(box);
  const { x, y, width, height } = crop.box;
  const { style } = get("crop-box");
  style.left = `${(100 * x) / crop.bitmap.width}%`;
  style.top = `${(100 * y) / crop.bitmap.height}%`;
  style.width = `${(100 * width) / crop.bitmap.width}%`;
  style.height = `${(100 * height) / crop.bitmap.height}%`;
  tell(get("crop-place"), "cropPlace", x, y, width, height);
}

// card: whose picture is cut; its parts become cards of their own.
async function openCrop(card) {
  const bitmap = await decode(card.file);
  crop.bitmap?.close();
  Object.assign(crop, { card, bitmap });
  get("crop-picture").src = card.url;
  const height = Math.min(bitmap.height, Math.max(bitmap.width / 14, bitmap.height / 20));
  placeBox({ x: bitmap.width * 0.04, y: bitmap.height * 0.1, width: bitmap.width * 0.92, height });
  if (!get("crop").open) get("crop").showModal();
  get("crop-box").focus();
}

async function readPart() {
  const { card, box, bitmap } = crop;
  card.parts += 1;
  const name = say("part", card.name, card.parts);
  const { blob, width, height } = await part(bitmap, box);
  addCards([{ file: blob, blob, name, width, height, isLine: true }]);
  if (box.y + box.height < bitmap.height) {
    placeBox({ ...box, y: box.y + box.height });
    tell(get("crop-place"), "cropSent");
  }
}

function cropKey(event) {
  const step = event.ctrlKey ? 1 : Math.max(1, Math.round(Math.min(crop.bitmap.width, crop.bitmap.height) / 100));
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  if (event.key === "Enter") readPart();
  else if (Object.hasOwn(moves, event.key)) {
    const [dx, dy] = moves[event.key];
    const { x, y, width, height } = crop.box;
    const wider = Math.min(width + dx, crop.bitmap.width - x);
    const higher = Math.min(height + dy, crop.bitmap.height - y);
    placeBox(event.shiftKey ? { x, y, width: wider, height: higher } : { x: x + dx, y: y + dy, width, height });
  } else return;
  event.preventDefault();
}

function cropDrag(event) {
  if (event.button !== 0 || !event.isPrimary) return;
  const stage = get("crop-stage");
  const area = stage.getBoundingClientRect();
  const at = (one) => [
    Math.min(Math.max((one.clientX - area.left) / area.width, 0), 1) * crop.bitmap.width,
    Math.min(Math.max((one.clientY - area.top) / area.height, 0), 1) * crop.bitmap.height,
  ];
  const [x, y] = at(event);
  const before = crop.box;
  const resizes = event.target.matches("#crop-box i");
  const moves = event.target.id === "crop-box";
  const [left, top] = resizes ? [before.x, before.y] : [x, y];
  const drag = (one) => {
    const [nowX, nowY] = at(one);
    if (moves) placeBox({ ...before, x: before.x + nowX - x, y: before.y + nowY - y });
    else if (resizes || Math.hypot(nowX - x, nowY - y) > SMALLEST) {
      const [width, height] = [Math.abs(nowX - left), Math.abs(nowY - top)];
      placeBox({ x: Math.min(left, nowX), y: Math.min(top, nowY), width, height });
    }
  };
  const stop = () => {
    done.abort();
    get("crop-box").focus({ preventScroll: true });
  };
  const done = new AbortController();
  stage.setPointerCapture(event.pointerId);
  stage.addEventListener("pointermove", drag, { signal: done.signal });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, stop, { signal: done.signal });
  event.preventDefault();
}

function startCrop() {
  get("crop-box").addEventListener("keydown", cropKey);
  get("crop-stage").addEventListener("pointerdown", cropDrag);
  get("crop-read").addEventListener("click", readPart);
  get("crop-whole").addEventListener("click", () => {
    get("crop").close();
    ask(crop.card);
  });
  get("crop-close").addEventListener("click", () => get("crop").close());
}
