// Corrections: {id, name, text, reading, model, suffix, bytes}. They stay in this browser, in IndexedDB.
const STORE = "corrections";
let database = null; // a promise; of null where the browser keeps nothing
const memory = new Map();

function finished(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function openStore() {
  database ??= (async () => {
    try {
      const request = indexedDB.open("crnn", 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      return await finished(request);
    } catch {
      return null;
    }
  })();
  return database;
}

async function change(act, instead) {
  const opened = await openStore();
  if (!opened) return instead();
  const transaction = opened.transaction(STORE, "readwrite", { durability: "strict" });
  act(transaction.objectStore(STORE));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

const corrections = {
  isKept: async () => (await openStore()) !== null,
  put: (record) => change((store) => store.put(record), () => memory.set(record.id, record)),
  remove: (id) => change((store) => store.delete(id), () => memory.delete(id)),
  clear: () => change((store) => store.clear(), () => memory.clear()),
  async all() {
    const opened = await openStore();
    return opened ? finished(opened.transaction(STORE).objectStore(STORE).getAll()) : [...memory.values()];
  },
  async count() {
    const opened = await openStore();
    return opened ? finished(opened.transaction(STORE).objectStore(STORE).count()) : memory.size;
  },
};

// Sorts by time, also between tabs and after a reload.
const newId = () => `${String(Date.now()).padStart(15, "0")}-${Math.random().toString(36).slice(2, 10)}`;

// A label as labels.tsv can hold it: one line without tabs, NFC, no space around it that no picture shows.
const asLabel = (text) => text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ").trim().normalize("NFC");
