// What the page says, in two languages. Texts reach the page by textContent and attributes only, never as markup.
const WORDS = {
  en: {
    other: "中文", skip: "to the readings", title: "Read lines of text",
    intro: "Pictures go to this server alone, and nothing is loaded from elsewhere.",
    add: "Pictures of lines", drop: "Drop pictures here, paste one with Ctrl+V, or choose.",
    choose: "Choose pictures", camera: "Take a photograph", model: "Model", alternatives: "Alternatives", none: "none",
    key: "API key", useKey: "Use this key", keyNote: "Kept until this tab is closed.",
    keyWanted: "This server wants an API key.", keyWrong: "The server does not know this key.",
    readings: "Readings", legend: "Characters:", sure: "90 % or more", unsure: "60 to 90 %", doubtful: "below 60 %",
    empty: "Nothing has been read yet.",
    kept: (n) => (n === 0 ? "No corrections yet" : n === 1 ? "1 correction kept" : `${n} corrections kept`),
    download: "Download corrections", forget: "Forget all", forgetTitle: "Forget all corrections?",
    forgetNote: "Their texts and pictures are deleted from this browser. To train on them, download them first.",
    keptAll: "Show them", removeText: (text) => `Remove ${text}`, keep: "Keep them", forgotten: "All corrections are forgotten.",
    downloaded: (n, name, model) => `${name}: ${n} lines. Unzip it, then: ` + (model === "bundled" ?
      "crnn train init=bundled data.root=FOLDER" : `crnn train init=MODEL data.root=FOLDER (MODEL: file or run of ${model})`),
    tooMany: (most) => `One file holds ${most} corrections or 4 GB; download and forget more often.`,
    notKept: "This browser keeps nothing: download the corrections before you leave.",
    noRoom: "This browser has no room for it: download the corrections, then forget them.",
    cropTitle: "Choose one line",
    cropHelp: "Drag a rectangle around one line. By keyboard: arrow keys move it, with Shift they resize it, " +
      "with Ctrl by one pixel; Enter reads, Esc ends.",
    cropBox: "Rectangle around the line", cropPlace: (x, y, w, h) => `left ${x}, top ${y}, ${w} × ${h} pixels`,
    cropRead: "Read this part", cropClose: "Done", cropSent: "Being read; the rectangle has moved on to what is below.",
    part: (name, n) => `${name}, part ${n}`, pasted: "pasted picture",
    waiting: "waiting", reading: "reading …", busy: (s) => `the server is busy; again in ${s} s`,
    photo: "more than a line? Choose its lines, or read all of it as one", crop: "Choose lines", again: "Read again",
    retry: "Try again", remove: "Remove", readWhole: "Read the whole picture", picture: (name) => `picture ${name}`,
    noPreview: "This browser cannot show the picture; the server may read it.",
    characters: "Characters; left and right arrow show their places",
    character: (text, sure) => `${text === " " ? "space" : text}, ${sure} %`,
    facts: (model, seconds) => `${model} · ${seconds} s`, nothing: "nothing was read",
    state: (sure) => `confidence ${sure} %`, result: (name, text, sure) => `${name}: ${text}, ${sure} %`,
    useText: (text, sure) => `Use ${text}, ${sure} %`, text: "Text", save: "Save correction",
    right: "As read is right", undo: "Undo", saved: (text) => `kept: ${text}`, savedState: "kept ✓",
    undone: "No longer kept.", allDone: "All readings are confirmed.",
    emptyText: "A line without text cannot be trained on: write what the picture says, or remove it.",
    notPicture: (name) => `${name} is not a picture.`,
    noServer: "The server cannot be reached. Is it running? The picture is still here.",
    noAnswer: "The server gave no answer in two minutes.",
    noSense: (status) => `The server answered with something else than a reading (status ${status}).`,
    e401: "An API key is needed: enter it above, then try again.",
    e404: (text) => `The server does not have this model any more: ${text}`,
    e413: (text) => `The picture is too large for this server: ${text}`,
    e415: (text) => `The server does not take this kind of file: ${text}`,
    e422: (text) => `The picture cannot be read: ${text}`,
    e429: "The server has been busy for long; try again later.",
    e503: (text) => `The server is not ready: ${text}`,
    e504: (text) => `Reading took too long: ${text}`,
    eOther: (text) => `The server refused: ${text}`,
  },
  zh: {
    other: "English", skip: "跳到识别结果", title: "识别文本行",
    intro: "图片只发送到本服务器，页面不从别处加载任何内容。",
    add: "文本行图片", drop: "把图片拖到这里，用 Ctrl+V 粘贴，或选择文件。",
    choose: "选择图片", camera: "拍照", model: "模型", alternatives: "候选", none: "无",
    key: "API 密钥", useKey: "使用此密钥", keyNote: "关闭标签页后即删除。",
    keyWanted: "本服务器需要 API 密钥。", keyWrong: "服务器不认识此密钥。",
    readings: "识别结果", legend: "字符：", sure: "90 % 以上", unsure: "60 至 90 %", doubtful: "低于 60 %",
    empty: "还没有识别任何图片。",
    kept: (n) => (n === 0 ? "还没有校正" : `已保存 ${n} 条校正`),
    download: "下载校正", forget: "全部删除", forgetTitle: "删除全部校正？",
    forgetNote: "文本和图片将从此浏览器中删除。如要用于训练，请先下载。",
    keptAll: "查看", removeText: (text) => `移除 ${text}`, keep: "保留", forgotten: "已删除全部校正。",
    downloaded: (n, name, model) => `${name}：${n} 行。解压后运行：` + (model === "bundled" ?
      "crnn train init=bundled data.root=文件夹" : `crnn train init=MODEL data.root=文件夹（MODEL：${model} 的模型文件或训练文件夹）`),
    tooMany: (most) => `超过 ${most} 条或 4 GB 无法放入一个文件，请更常下载并删除。`,
    notKept: "此浏览器无法保存：离开前请下载校正。",
    noRoom: "浏览器空间不足：请下载校正，然后删除。",
    cropTitle: "选择一行",
    cropHelp: "拖出一个框住一行的矩形。键盘：方向键移动，加 Shift 调整大小，加 Ctrl 每次一个像素；Enter 识别，Esc 结束。",
    cropBox: "框住一行的矩形", cropPlace: (x, y, w, h) => `左 ${x}，上 ${y}，${w} × ${h} 像素`,
    cropRead: "识别此部分", cropClose: "完成", cropSent: "正在识别；矩形已移到下方。",
    part: (name, n) => `${name}，第 ${n} 部分`, pasted: "粘贴的图片",
    waiting: "等待中", reading: "识别中……", busy: (s) => `服务器繁忙，${s} 秒后重试`,
    photo: "不止一行？请选择其中的行，或整张识别", crop: "选择行", again: "重新识别",
    retry: "重试", remove: "移除", readWhole: "识别整张图片", picture: (name) => `图片 ${name}`,
    noPreview: "浏览器无法显示此图片；服务器也许能识别。",
    characters: "字符；左右方向键显示其位置",
    character: (text, sure) => `${text === " " ? "空格" : text}，${sure} %`,
    facts: (model, seconds) => `${model} · ${seconds} 秒`, nothing: "没有识别出文字",
    state: (sure) => `置信度 ${sure} %`, result: (name, text, sure) => `${name}：${text}，${sure} %`,
    useText: (text, sure) => `采用 ${text}，${sure} %`, text: "文本", save: "保存校正",
    right: "识别正确", undo: "撤销", saved: (text) => `已保存：${text}`, savedState: "已保存 ✓",
    undone: "已不再保存。", allDone: "所有结果都已确认。",
    emptyText: "没有文本的行无法用于训练：请输入图片上的文字，或移除。",
    notPicture: (name) => `${name} 不是图片。`,
    noServer: "无法连接服务器。它在运行吗？图片仍在这里。",
    noAnswer: "服务器两分钟内没有回答。",
    noSense: (status) => `服务器的回答不是识别结果（状态 ${status}）。`,
    e401: "需要 API 密钥：请在上方输入，然后重试。",
    e404: (text) => `服务器不再有此模型：${text}`,
    e413: (text) => `图片对此服务器来说太大：${text}`,
    e415: (text) => `服务器不接受此类文件：${text}`,
    e422: (text) => `图片无法识别：${text}`,
    e429: "服务器长时间繁忙，请稍后再试。",
    e503: (text) => `服务器未就绪：${text}`,
    e504: (text) => `识别超时：${text}`,
    eOther: (text) => `服务器拒绝：${text}`,
  },
};
let language = "en";

function say(key, ...values) {
  const word = WORDS[language][key];
  return typeof word === "function" ? word(...values) : word;
}

function show(element) {
  const { say: key, label, title, values = "[]" } = element.dataset;
  const given = JSON.parse(values);
  if (key) element.textContent = say(key, ...given);
  if (label) element.setAttribute("aria-label", say(label, ...given));
  if (title) element.title = say(title, ...given);
}

// Let an element say a word, also after the language has changed; without a word it says nothing.
function tell(element, key, ...values) {
  element.dataset.say = key || "";
  element.dataset.values = JSON.stringify(values);
  if (key) show(element);
  else element.textContent = "";
}

function setLanguage(name) {
  language = name;
  document.documentElement.lang = name === "zh" ? "zh-Hans" : "en";
  for (const element of document.querySelectorAll("[data-say], [data-label], [data-title]")) show(element);
}

function chosenLanguage() {
  let kept = null;
  try { kept = localStorage.getItem("crnn-language"); } catch { /* as the browser has it */ }
  return Object.hasOwn(WORDS, kept ?? "") ? kept : navigator.language.startsWith("zh") ? "zh" : "en";
}
