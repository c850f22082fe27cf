// Read PNG pictures of lines with a model file and nothing of crnn: node read_with_onnxruntime.mjs MODEL PICTURE...
// First: npm install onnxruntime-web pngjs (onnxruntime-node works alike; in a page, take the pixels of a canvas).
// Greedy decoding, as `crnn recognize --beam 0`. Left out: 16-bit greys, EXIF, right-to-left reading order, `trim`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/"); // packages of the folder where it is run
const ort = require("onnxruntime-web");
const { PNG } = require("pngjs");
if (process.argv.length < 4) {
  console.error("usage: node read_with_onnxruntime.mjs MODEL PICTURE...");
  process.exit(1);
}

// The card: onnxruntime does not show metadata to JavaScript, so read field 14 of the file's protobuf message.
function* fields(bytes) {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let unit = 1; ; unit *= 128) {
      if (at >= bytes.length) throw new Error("the model file is cut off");
      const byte = bytes[at++];
      value += (byte & 127) * unit;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = number();
    if (key % 8 === 0) { number(); continue; }
    const size = key % 8 === 2 ? number() : key % 8 === 1 ? 8 : 4;
    if (size > bytes.length - at) throw new Error("the model file is cut off");
    yield [Math.floor(key / 8), bytes.subarray(at, (at += size))];
  }
}
const model = readFileSync(process.argv[2]);
const pairs = [...fields(model)].filter(([field]) => field === 14).map(([, pair]) => [...fields(pair)]);
const metadata = Object.fromEntries(pairs.map(([[, key], [, value]]) => [key.toString(), value.toString()]));
const { charset, transform } = JSON.parse(metadata["crnn.card"]);

// Rows of grey pixels scaled to `size` and turned on their side, as Pillow's BILINEAR does; twice gives both sides.
function scaled(grey, width, size) {
  const height = grey.length / width, step = width / size, reach = Math.max(step, 1);
  const out = new Uint8Array(size * height);
  for (let x = 0; x < size; x++) {
    const centre = (x + 0.5) * step;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(width, Math.trunc(centre + reach + 0.5));
    const weights = []; // a triangle around the centre
    for (let i = first; i < last; i++) weights.push(Math.max(0, 1 - Math.abs((i + 0.5 - centre) / reach)));
    const total = weights.reduce((sum, weight) => sum + weight);
    const fixed = weights.map((weight) => Math.trunc((weight / total) * 2 ** 22 + 0.5));
    for (let y = 0; y < height; y++) {
      const sum = fixed.reduce((sum, weight, i) => sum + weight * grey[y * width + first + i], 2 ** 21);
      out[x * height + y] = Math.min(255, Math.floor(sum / 2 ** 22));
    }
  }
  return out;
}

ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(model);
for (const path of process.argv.slice(3)) {
  const { width, height, data } = PNG.sync.read(readFileSync(path)); // red, green, blue, opacity of each pixel
  const grey = new Uint8Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const onWhite = (c) => Math.round(255 + ((data[4 * i + c] - 255) * data[4 * i + 3]) / 255);
    grey[i] = (onWhite(0) * 19595 + onWhite(1) * 38470 + onWhite(2) * 7471 + 32768) >> 16;
  }
  const { height: H, multiple, mean, std } = transform;
  const W = transform.width ?? Math.max(2, Math.floor((width * H) / (height * multiple) + 0.5)) * multiple;
  const images = Float32Array.from(scaled(scaled(grey, width, W), height, H), (value) => (value / 255 - mean) / std);
  const { log_probs, lengths } = await session.run({
    images: new ort.Tensor("float32", images, [1, 1, H, W]),
    widths: new ort.Tensor("int64", [BigInt(W)], [1]),
  });
  const classes = log_probs.dims[2]; // of log_probs (T, 1, C); class 0 is the blank
  let text = "", before = 0;
  for (let t = 0; t < Number(lengths.data[0]); t++) {
    const row = log_probs.data.subarray(t * classes, (t + 1) * classes);
    const best = row.indexOf(Math.max(...row));
    if (best && best !== before) text += charset.symbols[best - 1];
    before = best;
  }
  console.log(text);
}
