// The curves: latency as points and quantiles, rate by outcome, each over the faults in force.
function frame(chart, tall, ticksOf) {
  const width = Math.max(280, chart.clientWidth), left = 58, right = width - 10;
  const head = lanes * 14 + 4, bottom = tall - 22;
  const root = svg("svg", { viewBox: `0 0 ${width} ${tall}`, height: tall, role: "img",
    "aria-label": chart.parentElement.querySelector("figcaption").textContent });
  const x = (us) => left + us / run.end * (right - left);
  for (const fault of faults) {
    const from = x(fault.from), wide = Math.max(1.5, x(fault.to) - from), lane = Math.min(fault.lane, lanes - 1) * 14;
    const group = svg("g", { class: "fault " + fault.family });
    group.append(svg("title", {}, fault.kind + " " + fault.what));
    group.append(svg("rect", { x: from, y: lane, width: wide, height: bottom - lane, fill: "currentColor", opacity: 0.07 }));
    group.append(svg("rect", { x: from, y: lane, width: wide, height: 12, fill: "currentColor", opacity: 0.2 }));
    if (wide > fault.kind.length * 6 + 6) group.append(svg("text", { x: from + 4, y: lane + 9.5 }, fault.kind));
    root.append(group);
  }
  const step = roundStep(run.end, (right - left) / 90);
  for (let time = 0; time <= run.end; time += step) {
    root.append(svg("line", { class: "grid", x1: x(time), x2: x(time), y1: bottom, y2: bottom + 4 }));
    root.append(svg("text", { x: x(time), y: tall - 6, "text-anchor": time ? "middle" : "start" }, instant(time, step)));
  }
  for (const [at, words] of ticksOf(head + 6, bottom)) {
    root.append(svg("line", { class: "grid", x1: left, x2: right, y1: at, y2: at }));
    root.append(svg("text", { x: left - 7, y: at + 4, "text-anchor": "end" }, words));
  }
  chart.replaceChildren(root);
  return { root, x, left, right, top: head + 6, bottom };
}

// A logarithmic axis of microseconds, by factors of ten.
function logAxis(least, most) {
  const low = Math.floor(Math.log10(Math.max(1, least))), high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(2, most))));
  const y = (us, top, bottom) => bottom - (Math.log10(Math.max(us, 1)) - low) / (high - low) * (bottom - top);
  const ticks = (top, bottom) => Array.from({ length: high - low + 1 }, (_, i) => {
    const us = Math.pow(10, low + i);
    return [y(us, top, bottom), us < 1e3 ? us + " µs" : us < 1e6 ? us / 1e3 + " ms" : us / 1e6 + " s"];
  });
  return { y, ticks };
}

function linearAxis(most) {
  const step = roundStep(Math.max(most, 1), 5), high = Math.ceil(Math.max(most, 1) / step) * step;
  const y = (value, top, bottom) => bottom - value / high * (bottom - top);
  const ticks = (top, bottom) => {
    const all = [];
    for (let value = 0; value <= high + step / 2; value += step) all.push([y(value, top, bottom), count(value)]);
    return all;
  };
  return { y, ticks };
}

function legendOf(chart, entries) {
  const list = html("ul", { class: "legend" });
  for (const [name, kind] of entries) {
    const item = html("li", {}, name);
    item.className = kind;
    list.append(item);
  }
  chart.append(list);
}

// A line that follows the pointer and says what is there.
function cursor(chart, area, say) {
  const line = svg("line", { class: "cursor", y1: area.top, y2: area.bottom, visibility: "hidden" });
  const tip = html("div", { class: "tip" });
  tip.hidden = true;
  area.root.append(line);
  chart.append(tip);
  const scale = () => area.root.viewBox.baseVal.width / area.root.getBoundingClientRect().width;
  area.root.addEventListener("pointermove", (event) => {
    const bounds = area.root.getBoundingClientRect();
    const px = (event.clientX - bounds.left) * scale(), py = (event.clientY - bounds.top) * scale();
    const words = px < area.left || px > area.right ? null : say((px - area.left) / (area.right - area.left) * run.end, px, py);
    line.setAttribute("visibility", words ? "visible" : "hidden");
    tip.hidden = !words;
    if (!words) return;
    line.setAttribute("x1", px);
    line.setAttribute("x2", px);
    tip.replaceChildren(html("b", {}, words[0]), words[1]);
    placeTip(tip, chart, px / scale(), py / scale());
  });
  area.root.addEventListener("pointerleave", () => { tip.hidden = true; line.setAttribute("visibility", "hidden"); });
}

const charts = {
  points(chart) {
    const all = run.latency.points;
    let least = Infinity, most = 1;
    for (const list of all) for (let i = 1; i < list.length; i += 4) { least = Math.min(least, list[i]); most = Math.max(most, list[i]); }
    const axis = logAxis(Number.isFinite(least) ? least : 1, most);
    const area = frame(chart, 300, axis.ticks);
    // The rare ones are drawn last, or the many would hide them.
    for (const outcome of [1, 0, 2]) {
      const list = all[outcome];
      // One path a size: points that stand for many are larger.
      const paths = ["", "", ""];
      for (let i = 0; i < list.length; i += 4) {
        const size = list[i + 3] > 20 ? 2 : list[i + 3] > 3 ? 1 : 0;
        paths[size] += `M${area.x(list[i]).toFixed(1)} ${axis.y(list[i + 1], area.top, area.bottom).toFixed(1)}h0`;
      }
      paths.forEach((d, size) => d && area.root.append(svg("path", { class: "dots", d, stroke: `var(--${OUTCOMES[outcome]})`,
        "stroke-width": [2.6, 3.6, 4.8][size] + (outcome ? 0.8 : 0), opacity: outcome ? 0.9 : 0.55 })));
    }
    cursor(chart, area, (_, px, py) => {
      let best = null, nearest = 100;
      all.forEach((list, outcome) => {
        for (let i = 0; i < list.length; i += 4) {
          const dx = area.x(list[i]) - px, dy = axis.y(list[i + 1], area.top, area.bottom) - py, away = dx * dx + dy * dy;
          if (away < nearest) { nearest = away; best = [outcome, list, i]; }
        }
      });
      if (!best) return null;
      const [outcome, list, i] = best, more = list[i + 3] > 1 ? ", and " + count(list[i + 3] - 1) + " more about here" : "";
      return [OUTCOMES[outcome] + " after " + span(list[i + 1]), "op " + list[i + 2] + " at " + instant(list[i], 1000) + more];
    });
    const thinned = run.latency.drawn < run.latency.ended ? [[`${count(run.latency.drawn)} points stand for ${count(run.latency.ended)} ops`, "plain"]] : [];
    legendOf(chart, [["ok", "ok"], ["fail", "fail"], ["info (until given up)", "info"], ...thinned]);
  },

  quantiles(chart) {
    const names = ["p50", "p95", "p99", "max"], colours = ["ok", "valid", "info", "illegal"];
    const values = run.latency.quantiles.flat().filter((value) => value !== null);
    const axis = logAxis(Math.min(...values, 1e6), Math.max(...values, 1));
    const area = frame(chart, 240, axis.ticks);
    run.latency.quantiles.forEach((line, which) => {
      let d = "", drawing = false;
      line.forEach((value, bucket) => {
        if (value === null) { drawing = false; return; }
        const at = `${area.x(Math.min(run.end, (bucket + 0.5) * run.latency.width)).toFixed(1)} ${axis.y(value, area.top, area.bottom).toFixed(1)}`;
        d += drawing ? "L" + at : "M" + at + "h.01";
        drawing = true;
      });
      area.root.append(svg("path", { class: "curve", d, stroke: `var(--${colours[which]})`, "stroke-dasharray": which === 3 ? "2 3" : "none" }));
    });
    cursor(chart, area, (time) => {
      const bucket = Math.floor(time / run.latency.width);
      const here = run.latency.quantiles.map((line) => line[bucket]);
      if (here[0] === null || here[0] === undefined) return [instant(time, 1e4), "no op ended ok here"];
      return [instant(time, 1e4), names.map((name, i) => name + " " + span(here[i])).join(" · ")];
    });
    legendOf(chart, [["p50", "ok"], ["p95", "p95"], ["p99", "info"], ["max (dotted)", "illegal"]]);
  },

  rate(chart) {
    const per = 1e6 / run.rate.width, [ok, fail, info] = run.rate.counts;
    const totals = ok.map((n, i) => n + fail[i] + info[i]), top = ceiling(totals);
    const axis = linearAxis(top * per);
    const area = frame(chart, 240, axis.ticks);
    const base = ok.map(() => 0);
    run.rate.counts.forEach((counts, outcome) => {
      let d = "";
      counts.forEach((n, bucket) => {
        if (!n) return;
        const from = area.x(bucket * run.rate.width), to = area.x(Math.min(run.end, (bucket + 1) * run.rate.width));
        const level = (value) => Math.max(area.top, axis.y(value * per, area.top, area.bottom));
        const low = level(base[bucket]), high = level(base[bucket] + n);
        d += `M${from.toFixed(1)} ${low.toFixed(1)}V${high.toFixed(1)}H${to.toFixed(1)}V${low.toFixed(1)}Z`;
        base[bucket] += n;
      });
      area.root.append(svg("path", { d, fill: `var(--${OUTCOMES[outcome]})`, opacity: 0.85 }));
    });
    totals.forEach((n, bucket) => {
      if (axis.y(n * per, area.top, area.bottom) >= area.top - 0.5) return;
      // Cut off: a mark and the true height.
      const at = area.x(Math.min(run.end, (bucket + 0.5) * run.rate.width));
      area.root.append(svg("path", { d: `M${at - 4} ${area.top + 1}l4 -6l4 6z`, fill: "var(--soft)" }));
      if (totals[bucket - 1] === undefined || totals[bucket - 1] <= top) area.root.append(svg("text",
        { x: at - 7, y: area.top + 4, "text-anchor": "end" }, count(Math.round(n * per)) + "/s"));
    });
    cursor(chart, area, (time) => {
      const bucket = Math.floor(time / run.rate.width);
      if (bucket >= ok.length) return null;
      return [instant(time, 1e4), run.rate.counts.map((counts, i) => count(Math.round(counts[bucket] * per)) + " " + OUTCOMES[i] + "/s").join(" · ")];
    });
    legendOf(chart, [["ok", "ok"], ["fail", "fail"], ["info", "info"]]);
  },
};
