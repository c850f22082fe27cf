// The page of an evaluation.
(() => {
  const { get, data, make, percent, plural, visible } = kit;
  const lines = data.lines.map((f, number) => ({
    number, where: f[0], picture: f[1], source: f[2], label: f[3], reading: f[4], errors: f[5], confidence: f[6],
    doubt: f[7], columns: f[8], image: f[9], marks: f[10], logReading: f[11], logLabel: f[12],
    rate: f[5] / Math.max(f[3].length, 1), searched: [f[3], f[4], f[0], f[1]],
  }));
  const [order, filter, search, only] = ["order", "filter", "search", "only"].map(get);
  const buttons = [...document.querySelectorAll(".confusion")];
  const up = (value) => (value === null ? Infinity : value);
  const down = (value) => (value === null ? -Infinity : value);
  const orders = {
    worst: (a, b) => b.rate - a.rate || b.errors - a.errors || a.number - b.number,
    doubt: (a, b) => down(b.doubt) - down(a.doubt) || a.number - b.number || 0,
    unsure: (a, b) => up(a.confidence) - up(b.confidence) || a.number - b.number,
    data: (a, b) => a.number - b.number,
    long: (a, b) => b.label.length - a.label.length || a.number - b.number,
  };
  const isDoubtful = (line) => line.doubt !== null && line.doubt >= data.doubtful;
  const filters = {
    all: () => true,
    wrong: (line) => line.columns !== null,
    doubt: isDoubtful,
    more: (line) => line.columns !== null && line.label.toLowerCase() !== line.reading.toLowerCase(),
    right: (line) => line.columns === null,
  };
  let confusion = null;

  function item(line) {
    const read = line.columns ? `reading ${line.reading || "nothing"}, ${plural(line.errors, "error")}` : "read right";
    const side = make("div", "side");
    side.append(make("b", "", line.columns ? plural(line.errors, "error") : "right"));
    if (line.confidence !== null) side.append(make("div", "", `sure ${percent(line.confidence)}`));
    if (isDoubtful(line)) side.append(make("div", "doubtful", "label?"));
    const body = make("div");
    if (line.image) body.append(kit.picture(line.image, line.marks));
    body.append(kit.aligned(line.label, line.columns, ["label", "reading"], (cell, [label, reading]) => {
      cell.classList.add(kit.kind(label, reading));
      return cell;
    }));
    return [`label ${line.label}, ${read}`, side, body];
  }

  function details(line) {
    const said = [["label", line.label], ["reading", line.reading], ["place", line.where], ["picture", line.picture]];
    if (data.sources.length > 1) said.push(["source", data.sources[line.source]]);
    if (line.confidence !== null) said.push(["confidence", percent(line.confidence)]);
    if (line.logLabel !== null) {
      said.push(["label or reading", `the model gives the reading a log-probability of ${line.logReading}, the label ${
        line.logLabel <= -10000 ? "none: it does not fit into the picture" : line.logLabel}`]);
    }
    if (line.marks && line.marks.length) {
      said.push(["characters", line.marks.map(([text, sure]) => `${visible(text)} ${percent(sure)}`).join("   ")]);
    }
    return kit.details(said);
  }

  function chosen(isWanted) {
    const pair = confusion === null ? null : data.confusions[confusion];
    const hasPair = (line) => !pair
      || (line.columns || []).some((c) => typeof c !== "string" && c[0] === pair[0] && c[1] === pair[1]);
    return lines.filter((line) => filters[filter.value](line) && hasPair(line) && isWanted(line))
      .sort(orders[order.value]);
  }

  function refreshed() {
    const pair = confusion === null ? null : data.confusions[confusion];
    only.hidden = !pair;
    if (pair) {
      only.textContent = `${visible(pair[0]) || "nothing"} → ${visible(pair[1]) || "nothing"}  ×`;
      only.setAttribute("aria-label", "show all confusions again");
    }
    for (const button of buttons) button.setAttribute("aria-pressed", String(Number(button.dataset.number) === confusion));
  }

  const refresh = kit.show({
    lines, item, details, chosen, refreshed,
    clear: () => { confusion = null; },
    keys: { w: ["order", "worst"], l: ["order", "doubt"] },
  });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const number = Number(button.dataset.number);
      confusion = confusion === number ? null : number;
      refresh();
      if (confusion !== null) get("lines").scrollIntoView();
    });
  }
  only.addEventListener("click", () => { confusion = null; refresh(); search.focus(); });
  refresh();
})();
