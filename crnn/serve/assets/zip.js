// A zip archive whose files are stored as they are (APPNOTE.TXT 6.3: local headers, central directory, end record).
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
const MOST_FILES = 65_000;
const MOST_BYTES = 4_000_000_000;
const UTF8_NAMES = 0x0800;

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

// Numbers as little-endian bytes: [value, how many bytes], ...
function packed(...fields) {
  const bytes = [];
  for (const [value, size] of fields) for (let i = 0; i < size; i++) bytes.push(Math.floor(value / 256 ** i) & 255);
  return new Uint8Array(bytes);
}

// files: [name, Uint8Array] each.
function zipped(files) {
  const now = new Date();
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
  const date = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
  const parts = [];
  const directory = [];
  let offset = 0;
  let directorySize = 0;
  for (const [name, bytes] of files) {
    const encoded = new TextEncoder().encode(name);
    const size = bytes.length;
    const common = [[20, 2], [UTF8_NAMES, 2], [0, 2], [time, 2], [date, 2], [crc32(bytes), 4], [size, 4], [size, 4],
      [encoded.length, 2], [0, 2]];
    const local = packed([0x04034b50, 4], ...common);
    const central = packed([0x02014b50, 4], [20, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]);
    parts.push(local, encoded, bytes);
    directory.push(central, encoded);
    offset += local.length + encoded.length + size;
    directorySize += central.length + encoded.length;
  }
  const end = packed([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [directorySize, 4],
    [offset, 4], [0, 2]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

// labels.tsv and images/ of corrections, as `crnn check` and `crnn train` open them; null if they are too many.
function trainable(records) {
  const size = records.reduce((sum, one) => sum + one.bytes.byteLength, 0);
  if (records.length > MOST_FILES || size > MOST_BYTES) return null;
  const names = records.map((one, i) => `images/${String(i + 1).padStart(4, "0")}.${one.suffix}`);
  const table = records.map((one, i) => `${names[i]}\t${one.text}\n`).join("");
  return zipped([
    ["labels.tsv", new TextEncoder().encode(table)],
    ...records.map((one, i) => [names[i], new Uint8Array(one.bytes)]),
  ]);
}
