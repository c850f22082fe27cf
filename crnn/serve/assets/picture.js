// Pictures as they are sent: upright, not larger than a server takes, and as they were where that is possible.
const MOST_SIDE = 4096; // pixels
const MOST_PIXELS = 16_000_000;
const MOST_PNG = 4_000_000;
const MOST_SENT = 8 * 2 ** 20; // bytes; larger files are written again
const AS_THEY_ARE = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"];
const LINE_HEIGHT = 240; // pixels; a picture that is lower is a line
const LINE_RATIO = 3; // and one that is so many times wider than high
const SUFFIXES = [["89504e47", "png"], ["ffd8ff", "jpg"], ["474946", "gif"], ["424d", "bmp"], ["49492a00", "tif"],
  ["4d4d002a", "tif"], ["52494646", "webp"], ["0000000c6a50", "jp2"], ["50", "ppm"]];

// The ending of a picture's name, by its first bytes.
function suffixOf(bytes) {
  const start = [...new Uint8Array(bytes.slice(0, 8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return (SUFFIXES.find(([magic]) => start.startsWith(magic)) ?? ["", "png"])[1];
}

const decode = (blob) => createImageBitmap(blob, { imageOrientation: "from-image" });

function written(canvas, type, quality) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), type, quality);
  });
}

// A part (x, y, width, height in pixels) of a decoded picture, scaled down where it is too large; large ones as JPEG.
async function part(bitmap, { x, y, width, height }) {
  const scale = Math.min(1, MOST_SIDE / width, MOST_SIDE / height, Math.sqrt(MOST_PIXELS / (width * height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // what is transparent lies on paper
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, x, y, width, height, 0, 0, canvas.width, canvas.height);
  const blob = await written(canvas, canvas.width * canvas.height > MOST_PNG ? "image/jpeg" : "image/png", 0.92);
  return { blob, width: canvas.width, height: canvas.height };
}

// {blob, width, height, isLine}; width 0 where the browser cannot show it, but the server may read it.
async function prepared(file) {
  try {
    const bitmap = await decode(file);
    const { width, height } = bitmap;
    const isLine = height <= LINE_HEIGHT || width >= LINE_RATIO * height;
    const isLarge = Math.max(width, height) > MOST_SIDE || width * height > MOST_PIXELS || file.size > MOST_SENT;
    const ready = isLarge || !AS_THEY_ARE.includes(file.type)
      ? await part(bitmap, { x: 0, y: 0, width, height }) : { blob: file, width, height };
    bitmap.close();
    return { ...ready, isLine };
  } catch {
    return { blob: file, width: 0, height: 0, isLine: true };
  }
}
