// Tells what is pointed at, tapped or focused in the story, at once and in full.
(() => {
  const story = document.querySelector(".story");
  if (!story) return;
  const frame = story.parentElement, tip = frame.querySelector(".tip");
  story.querySelectorAll(".spacetime title").forEach((title) => {
    // A browser's own hint comes late, and never on a phone.
    title.parentElement.dataset.tip = title.textContent;
    title.remove();
  });
  const show = (event) => {
    const part = event.target.closest("[data-tip]");
    tip.hidden = !part;
    if (!part) return;
    tip.textContent = part.dataset.tip;
    const box = frame.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
    const below = y + 18 + tip.offsetHeight < box.height;
    tip.style.left = `${Math.max(4, Math.min(x + 14, box.width - tip.offsetWidth - 6))}px`;
    tip.style.top = `${below ? y + 18 : Math.max(4, y - tip.offsetHeight - 12)}px`;
  };
  story.addEventListener("pointermove", show);
  story.addEventListener("click", show);
  story.addEventListener("pointerleave", () => { tip.hidden = true; });
  story.addEventListener("scroll", () => { tip.hidden = true; });
})();
