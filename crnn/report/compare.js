// The page of a comparison.
(() => {
  const { get, data, make, plural } = kit;
  const lines = data.lines.map((f, number) => ({
    number, where: f[0], picture: f[1], label: f[2], a: f[3], b: f[4], errorsA: f[5], errorsB: f[6], columns: f[7],
    image: f[8], searched: [f[2], f[3], f[4], f[0], f[1]],
  }));
  const [order, filter] = ["order", "filter"].map(get);
  const orders = {
    apart: (a, b) => Math.abs(b.errorsA - b.errorsB) - Math.abs(a.errorsA - a.errorsB) || a.number - b.number,
    worst: (a, b) => b.errorsA + b.errorsB - a.errorsA - a.errorsB || a.number - b.number,
    data: (a, b) => a.number - b.number,
  };
  const filters = {
    differ: (line) => line.a !== line.b,
    a: (line) => line.errorsA < line.errorsB,
    b: (line) => line.errorsB < line.errorsA,
    wrong: (line) => line.errorsA > 0 && line.errorsB > 0,
    all: () => true,
  };
  const errors = (count) => (count ? plural(count, "error") : "right");
  const winner = (line) => (line.errorsA < line.errorsB ? "A" : line.errorsB < line.errorsA ? "B" : "");

  function item(line) {
    const side = make("div", "side");
    side.append(make("b", winner(line) ? `won-${winner(line)}` : "", winner(line) ? `${winner(line)} better` : "alike"));
    side.append(make("div", "", `A ${errors(line.errorsA)}`), make("div", "", `B ${errors(line.errorsB)}`));
    const body = make("div", "trio");
    if (line.image) body.append(kit.picture(line.image, []));
    body.append(kit.aligned(line.label, line.columns, ["label", "A", "B"], (cell, [label, ...readings]) => {
      readings.forEach((reading, n) => {
        if (kit.kind(label, reading)) cell.children[n + 1].className = kit.kind(label, reading);
      });
      return cell;
    }));
    return [`label ${line.label}, A reads ${line.a || "nothing"}, B reads ${line.b || "nothing"}`, side, body];
  }

  const refresh = kit.show({
    lines,
    item,
    details: (line) => kit.details([
      ["label", line.label], ["A", line.a], ["B", line.b], ["place", line.where], ["picture", line.picture],
    ]),
    chosen: (isWanted) => lines.filter((line) => filters[filter.value](line) && isWanted(line)).sort(orders[order.value]),
    refreshed: () => {},
    clear: () => {},
    keys: {
      a: ["filter", "a"], b: ["filter", "b"], w: ["filter", "wrong"], n: ["filter", "differ"], l: ["filter", "all"],
    },
  });
  refresh();
})();
