// Draws everything, and again whenever width or colours change.
(() => {
  const section = document.getElementById("timeline");
  const drawTimeline = section.querySelector("canvas.main") ? timeline(section) : () => {};
  const drawCharts = () => document.querySelectorAll("[data-chart]").forEach((chart) => charts[chart.dataset.chart](chart));
  const drawAll = () => { drawTimeline(); drawCharts(); };
  drawCharts();
  // Tells whoever tests the page that everything was drawn.
  document.documentElement.dataset.drawn = "yes";

  let width = document.documentElement.clientWidth, waiting = 0;
  window.addEventListener("resize", () => {
    // Phones resize in height as their bars come and go; only the width matters.
    if (document.documentElement.clientWidth === width) return;
    width = document.documentElement.clientWidth;
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(drawAll);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  matchMedia("print").addEventListener("change", drawAll);

  document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      // No clipboard for files in some browsers: the text is selected for the usual keys.
      getSelection().selectAllChildren(code);
    }
  }));
})();
