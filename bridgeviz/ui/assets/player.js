// The player of one scene. Its message is described in player.py; the browser fetches nothing.

const SECONDS = 5, HOLD = 1.6, ROUNDS = 3;
const MOST_NAMES = 24;  // more would cover the points; the pointer names every one

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const words = (text) => new Uint16Array(bytes(text).buffer);

function unpack(pictures) {
  if (!pictures) return null;
  const packed = bytes(pictures.data), pixels = new Uint8Array(pictures.n * pictures.h * pictures.w);
  for (let k = 0; k < pixels.length; k++) pixels[k] = 17 * (k % 2 ? packed[k >> 1] & 15 : packed[k >> 1] >> 4);
  return { ...pictures, pixels };
}

function paint(canvas, pictures, index, ink) {
  // Each pixel is the opacity of the ink, so that a picture is legible on white and on black.
  const { w, h, pixels } = pictures;
  canvas.width = w; canvas.height = h;
  const context = canvas.getContext("2d"), image = context.createImageData(w, h);
  for (let k = 0; k < w * h; k++) {
    image.data.set(ink, 4 * k);
    image.data[4 * k + 3] = pixels[index * w * h + k];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

const hex = (c) => [1, 3, 5].map((k) => parseInt(c.slice(k, k + 2), 16));

const lighter = (c) => "#" + hex(c).map((v) => Math.round(v + 0.3 * (255 - v)).toString(16).padStart(2, "0")).join("");

// One outline per class, so that colour is never the only cue.
const SHAPES = [
  (c, r) => c.arc(0, 0, r, 0, 7),
  (c, r) => c.rect(-r * 0.9, -r * 0.9, 1.8 * r, 1.8 * r),
  (c, r) => poly(c, 4, 1.25 * r, 0),
  (c, r) => poly(c, 3, 1.3 * r, -90),
  (c, r) => { c.rect(-r * 1.2, -r * 0.42, 2.4 * r, 0.84 * r); c.rect(-r * 0.42, -r * 1.2, 0.84 * r, 2.4 * r); },
  (c, r) => { c.rotate(Math.PI / 4); SHAPES[4](c, r); c.rotate(-Math.PI / 4); },
  (c, r) => poly(c, 3, 1.3 * r, 90),
  (c, r) => star(c, 5, 1.4 * r, 0.6 * r),
  (c, r) => poly(c, 5, 1.2 * r, -90),
  (c, r) => star(c, 6, 1.4 * r, 0.8 * r),
];
function poly(c, sides, r, turn) {
  for (let k = 0; k < sides; k++) {
    const a = (turn + (360 * k) / sides) * Math.PI / 180;
    c[k ? "lineTo" : "moveTo"](r * Math.cos(a), r * Math.sin(a));
  }
  c.closePath();
}
function star(c, tips, far, near) {
  for (let k = 0; k < 2 * tips; k++) {
    const a = (-90 + (180 * k) / tips) * Math.PI / 180, r = k % 2 ? near : far;
    c[k ? "lineTo" : "moveTo"](r * Math.cos(a), r * Math.sin(a));
  }
  c.closePath();
}

class Player {
  constructor(root) {
    this.root = root;
    const find = (name) => root.querySelector(`.bv-${name}`);
    for (const name of ["canvas", "source", "from", "tip", "score", "right", "right-words", "strip", "side-title", "side", "play", "t",
      "now", "speed", "loop", "pictures", "pics", "badge"]) this[name.replace("-", "_")] = find(name);
    this.context = this.canvas.getContext("2d");
    this.reducedMotion = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.play.onclick = () => this.toggle();
    this.t.oninput = () => { this.stop(); this.show(+this.t.value); };
    this.pictures.onchange = () => this.draw();
    this.canvas.onkeydown = (e) => {
      const step = { ArrowRight: 0.05, ArrowLeft: -0.05 }[e.key];
      if (step) { this.stop(); this.show(Math.min(1, Math.max(0, this.time + step))); }
      else if (e.key === " ") this.toggle();
      else return;
      e.preventDefault();
    };
    this.canvas.onwheel = (e) => { if (e.ctrlKey || e.shiftKey || this.zoom > 1) this.wheel(e); };
    this.canvas.ondblclick = () => { this.zoom = this.zoom > 1 ? 1 : 4; this.centre = this.zoom > 1 ? this.under(...this.last) : [0.5, 0.5]; this.draw(); };
    this.canvas.onpointerdown = (e) => { this.drag = [e.offsetX, e.offsetY]; this.canvas.setPointerCapture(e.pointerId); };
    this.canvas.onpointerup = () => { this.drag = null; };
    this.canvas.onpointermove = (e) => this.move(e);
    this.source.onpointermove = (e) => this.point(e, this.from_at);
    this.canvas.onpointerleave = this.source.onpointerleave = () => { this.tip.hidden = true; this.hovered = null; this.draw(); };
    this.sized = new ResizeObserver(() => this.draw());
    this.sized.observe(this.canvas);
    this.sized.observe(this.source);
    this.inView = true;
    this.watched = new IntersectionObserver((entries) => { this.inView = entries.at(-1).isIntersecting; this.run(); });
    this.watched.observe(this.canvas);
    this.woken = () => this.run();
    document.addEventListener("visibilitychange", this.woken);
    this.heard = (e) => this.follow(e.detail);
    addEventListener("bridgeviz-clock", this.heard);
    this.themed = setInterval(() => { const ink = this.style("--st-text-color"); if (ink !== this.ink) this.retheme(ink); }, 500);
  }

  style(name) { return getComputedStyle(this.canvas).getPropertyValue(name).trim() || "#808080"; }

  load(data) {
    if (this.data && this.data.id === data.id) return;
    if (this.root.scene && this.root.scene !== data.id) this.reveal();
    this.root.scene = data.id;
    this.stop();
    this.data = data;
    this.positions = words(data.positions);
    this.landmarks = words(data.landmarks);
    this.targets = words(data.targets);
    this.targetLabels = bytes(data.target_labels);
    this.origins = data.origins && words(data.origins.positions);
    this.from.style.display = this.origins ? "" : "none";
    this.labels = bytes(data.labels);
    this.decoded = bytes(data.decoded);
    this.sure = data.sure && bytes(data.sure);
    this.lit = data.lit && bytes(data.lit);
    this.places = data.places && bytes(data.places);
    for (const name of ["thumbnails", "cards", "made"]) this[name] = unpack(data[name]);
    this.zoom = 1; this.centre = [0.5, 0.5]; this.last = [0, 0]; this.hovered = null;
    this.pics.hidden = !this.thumbnails;
    this.pics.style.display = this.thumbnails ? "" : "none";
    this.pictures.checked = data.pictures;
    this.badge.textContent = data.badge;
    this.score.style.display = data.accuracy ? "" : "none";
    this.right_words.textContent = `of ${data.counted} decode to their own class (guessing: ${data.chance})`;
    this.retheme(this.style("--st-text-color"));
    if (this.reducedMotion) this.show(1); else { this.show(0); this.start(); }
  }

  retheme(ink) {
    this.ink = ink;
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = ink; probe.fillRect(0, 0, 1, 1);
    this.inkRGB = [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
    const bright = this.inkRGB[0] + this.inkRGB[1] + this.inkRGB[2] > 384;
    if (this.data) {
      const themed = (c) => bright ? lighter(c) : c;
      this.colours = this.data.colours.map(themed);
      const ramp = this.places && this.data.ramp.map(themed);
      this.inks = Array.from(this.labels, (label, k) => ramp ? ramp[this.places[k]] : this.colours[label % this.colours.length]);
      this.sprites = this.thumbnails && this.inks.map((ink, k) =>
        paint(document.createElement("canvas"), this.thumbnails, k, hex(ink)));
      this.fillStrip(); this.show(this.time ?? 0);
    }
  }

  fillStrip() {
    const { strip, names } = this.data, colours = this.colours;
    this.side.style.display = strip.length && names.length > 1 ? "" : "none";
    this.side_title.textContent = this.made ? "Follow one: label → picture it decodes to" : this.cards
      ? "Follow one: picture → label it decodes to" : "Follow one: true class → class it decodes to";
    this.strip.replaceChildren(...strip.map((point, k) => {
      const card = document.createElement("div"), c = this.labels[point];
      card.className = "bv-card";
      const from = this.cards ? paint(document.createElement("canvas"), this.cards, k, this.inkRGB) : this.element("bv-name", names[c]);
      if (!this.cards) from.style.color = colours[c % colours.length];
      const out = document.createElement("div");
      out.className = "bv-out";
      if (this.made) out.append(document.createElement("canvas"));
      else {
        out.append(this.element("bv-answer", ""));
        if (this.sure) { const bar = this.element("bv-bar", ""); bar.append(document.createElement("i")); out.append(bar); }
      }
      card.append(from, this.element("bv-arrow", "→"), out);
      card.onpointerenter = () => { this.hovered = point; this.draw(); };
      card.onpointerleave = () => { this.hovered = null; this.draw(); };
      return card;
    }));
  }

  element(name, text) {
    const element = document.createElement("div");
    element.className = name + (text.length > 2 ? " bv-long" : "");
    element.textContent = text;
    return element;
  }

  frame() { return Math.round(this.time * (this.data.frames - 1)); }

  show(time) {
    this.time = time;
    const { data } = this, frame = this.frame();
    this.t.value = time;
    this.now.textContent = `t = ${time.toFixed(2)}`;
    if (data.accuracy) this.right.textContent = data.accuracy[frame];
    const key = `${frame} ${time > 0.97} ${this.ink} ${data.id}`;
    if (key !== this.stripKey) {
      this.stripKey = key;
      data.strip.forEach((point, k) => {
        const card = this.strip.children[k], c = this.decoded[frame * data.n + point];
        const wrong = c !== this.labels[point], end = time > 0.97;
        card.classList.toggle("bv-wrong", wrong && end);
        card.classList.toggle("bv-notyet", wrong && !end);
        const out = card.lastChild;
        if (this.made) paint(out.firstChild, this.made, frame * data.strip.length + k, this.inkRGB);
        else {
          const name = data.names[c];
          out.firstChild.textContent = !wrong || !end || name.length > 2 ? name : `${name} ✗`;
          out.firstChild.classList.toggle("bv-long", name.length > 2);
        }
        if (this.sure) {
          const sure = this.sure[frame * data.strip.length + k] / 255;
          if (!this.made) out.lastChild.firstChild.style.width = `${100 * sure}%`;
          card.title = `True class ${data.names[this.labels[point]]}; decodes to ${data.names[c]} with probability ${sure.toFixed(2)}`;
        }
      });
    }
    this.draw();
  }

  start() {
    this.playing = true;
    this.rounds = 0;
    this.play.textContent = "Pause";
    if (this.time >= 1) this.time = 0;
    this.clock = this.time * SECONDS;
    this.run();
  }

  // Draws frame after frame while the player plays and can be seen.
  run() {
    cancelAnimationFrame(this.request);
    if (!this.playing || !this.inView || document.hidden) return;
    let before = null;
    const tick = (now) => {
      this.request = requestAnimationFrame(tick);
      if (before !== null && now - before < 30) return;  // 30 frames per second look smooth and take half the work
      const began = performance.now();
      if (before !== null) this.clock += Math.min(0.25, (now - before) / 1000) * +this.speed.value;
      before = now;
      if (this.clock > SECONDS + HOLD * +this.speed.value) {
        this.rounds += 1;
        if (!this.loop.checked || this.rounds >= ROUNDS) { this.show(1); this.stop(); return; }
        this.clock = 0;
      }
      this.show(Math.min(1, this.clock / SECONDS));
      this.canvas.dataset.frameMs = (performance.now() - began).toFixed(1);
      this.canvas.dataset.drawn = 1 + +(this.canvas.dataset.drawn || 0);
    };
    this.request = requestAnimationFrame(tick);
  }

  stop() {
    this.playing = false;
    this.play.textContent = "Play";
    cancelAnimationFrame(this.request);
  }

  // A scene that is chosen further down the page plays where it can be seen.
  reveal() {
    const { top, bottom } = this.canvas.getBoundingClientRect();
    if (top >= 0 && bottom <= innerHeight) return;
    this.canvas.scrollIntoView({ block: "center", behavior: this.reducedMotion ? "auto" : "smooth" });
  }

  // Players with one clock show one time and point to one point; whoever is used last leads, the others rest.
  announce() {
    const { time, hovered, data } = this;
    if (!data.clock || this.following) return;
    dispatchEvent(new CustomEvent("bridgeviz-clock", { detail: { clock: data.clock, time, hovered, from: this } }));
  }

  follow({ clock, time, hovered, from }) {
    if (from === this || !this.data || this.data.clock !== clock) return;
    this.following = true;
    if (time !== this.time) this.stop();
    this.hovered = hovered !== null && hovered < this.data.n ? hovered : null;
    this.show(time);
    this.following = false;
  }

  toggle() { if (this.playing) this.stop(); else this.start(); }

  // What the stage shows of the map: all of it, with one scale for both axes.
  seen(width, height) {
    const [x0, y0, x1, y1] = this.data.view, scale = Math.max((x1 - x0) / width, (y1 - y0) / height) || 1;
    const x = (x0 + x1) / 2, y = (y0 + y1) / 2, a = scale * width / 2, b = scale * height / 2;
    return [x - a, y - b, x + a, y + b];
  }

  // Where a point of the map is drawn.
  place(x, y) {
    const { width, height, margin } = this.box;
    const [x0, y0, x1, y1] = this.view;
    const u = ((x - x0) / (x1 - x0) - this.centre[0]) * this.zoom + 0.5;
    const v = ((y - y0) / (y1 - y0) - this.centre[1]) * this.zoom + 0.5;
    return [margin + u * (width - 2 * margin), height - margin - v * (height - 2 * margin - this.box.top)];
  }

  under(px, py) {
    const { width, height, margin } = this.box;
    return [((px - margin) / (width - 2 * margin) - 0.5) / this.zoom + this.centre[0],
      ((height - margin - py) / (height - 2 * margin - this.box.top) - 0.5) / this.zoom + this.centre[1]];
  }

  wheel(e) {
    e.preventDefault();
    const before = this.under(e.offsetX, e.offsetY);
    this.zoom = Math.min(20, Math.max(1, this.zoom * Math.exp(-e.deltaY / 300)));
    const after = this.under(e.offsetX, e.offsetY);
    this.centre = this.zoom === 1 ? [0.5, 0.5] : this.centre.map((c, k) => c + before[k] - after[k]);
    this.draw();
  }

  move(e) {
    this.last = [e.offsetX, e.offsetY];
    if (this.drag && this.zoom > 1) {
      const [a, b] = [this.under(...this.drag), this.under(...this.last)];
      this.centre = this.centre.map((c, k) => c + a[k] - b[k]);
      this.drag = this.last;
      this.draw();
      return;
    }
    this.point(e, this.at);
  }

  // Points to the nearest of the points that are drawn at `at`, in the source or on the stage.
  point(e, at) {
    let best = 14 ** 2, nearest = null;
    for (let k = 0; k < this.data.n; k++) {
      const d = (at[2 * k] - e.offsetX) ** 2 + (at[2 * k + 1] - e.offsetY) ** 2;
      if (d < best) { best = d; nearest = k; }
    }
    if (nearest !== this.hovered) { this.hovered = nearest; this.draw(); }
    this.tip.hidden = nearest === null;
    if (nearest === null) return;
    const { names, n } = this.data, c = this.decoded[this.frame() * n + nearest];
    const text = document.createElement("div");
    const row = `row ${this.data.rows[nearest] ?? nearest}`;
    text.innerText = names.length > 1 ? `true class: ${names[this.labels[nearest]]}\ndecodes to: ${names[c]}${c === this.labels[nearest] ? "" : " ✗"}\n${row}` : row;
    this.tip.replaceChildren(...(this.thumbnails ? [paint(document.createElement("canvas"), this.thumbnails, nearest, this.inkRGB)] : []), text);
    const panel = e.target.parentElement, x = panel.offsetLeft + e.offsetX;  // the tip stands in the whole player
    this.tip.style.left = `${Math.max(0, x + (x > panel.parentElement.clientWidth - 230 ? -220 : 16))}px`;
    this.tip.style.top = `${Math.max(4, panel.offsetTop + e.offsetY - 40)}px`;
  }

  // Clears a canvas and scales it to the screen; its context, its size, and pixels per unit.
  cleared(canvas) {
    const width = canvas.clientWidth, height = canvas.clientHeight, ratio = Math.min(2, devicePixelRatio || 1);
    const size = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
    const c = canvas.getContext("2d");
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    return { c, width, height, ratio };
  }

  draw() {
    const { data, canvas } = this;
    if (!data || !canvas.clientWidth) return;
    const { c, width, height, ratio } = this.cleared(canvas);
    const top = Math.max(34, this.score.offsetHeight - 4);  // below what is written there
    this.box = { width, height, margin: 44, top };
    this.view = this.seen(width - 88, height - 88 - top);
    const at = this.time * (data.frames - 1), from = Math.min(data.frames - 2, Math.floor(at)), share = at - from;
    const n = data.n, P = this.positions, colours = this.colours;
    this.at = this.at && this.at.length === 2 * n ? this.at : new Float32Array(2 * n);
    const marks = data.names.map((_, k) => this.place(this.landmarks[2 * k], this.landmarks[2 * k + 1]));
    const named = data.names.length > 1 && data.names.length <= MOST_NAMES;
    if (named) marks.forEach(([x, y], k) => {
      c.globalAlpha = 0.2; c.fillStyle = colours[k % colours.length];
      c.beginPath(); c.arc(x, y, 24, 0, 7); c.fill();
    });
    this.targetLabels.forEach((label, k) => {  // where the points should arrive
      const own = data.partners.length ? this.inks[data.partners[k]] : this.ink;
      c.globalAlpha = 0.28; c.fillStyle = data.names.length > 1 ? colours[label % colours.length] : own;
      c.beginPath(); c.arc(...this.place(this.targets[2 * k], this.targets[2 * k + 1]), 2.6, 0, 7); c.fill();
    });
    const r = 4.2 * Math.min(1.6, Math.sqrt(this.zoom)), big = 15 * Math.min(2.2, Math.sqrt(this.zoom));
    const sprites = this.thumbnails && (this.pictures.checked || this.zoom >= 3);
    if (this.lit) this.trails(at);
    for (let k = 0; k < n; k++) {
      const a = 2 * (from * n + k), b = a + 2 * n;
      const [x, y] = this.place(P[a] + share * (P[b] - P[a]), P[a + 1] + share * (P[b + 1] - P[a + 1]));
      this.at[2 * k] = x; this.at[2 * k + 1] = y;
      c.setTransform(ratio, 0, 0, ratio, x * ratio, y * ratio);
      this.mark(c, k, r, sprites ? big : 0);
    }
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.globalAlpha = 1;
    if (named) this.name(marks, width, height);
    if (this.origins) this.drawSource();
    canvas.dataset.t = this.time.toFixed(3);
    this.announce();
  }

  // The same points where they come from. They do not move; at the end, those that went wrong are ringed here as well.
  drawSource() {
    const { data, origins } = this, { c, width, height, ratio } = this.cleared(this.source);
    const [x0, y0, x1, y1] = data.origins.view, edge = 34;  // leaves room for the name below
    const scale = Math.min((width - 2 * edge) / (x1 - x0 || 1), (height - 2 * edge) / (y1 - y0 || 1));
    this.from_at = this.from_at && this.from_at.length === 2 * data.n ? this.from_at : new Float32Array(2 * data.n);
    for (let k = 0; k < data.n; k++) {
      const x = width / 2 + (origins[2 * k] - (x0 + x1) / 2) * scale;
      const y = height / 2 - (origins[2 * k + 1] - (y0 + y1) / 2) * scale;
      this.from_at[2 * k] = x; this.from_at[2 * k + 1] = y;
      c.setTransform(ratio, 0, 0, ratio, x * ratio, y * ratio);
      this.mark(c, k, 3.2 * Math.min(3, Math.sqrt(data.origins.equal[k])), this.thumbnails && this.pictures.checked ? 15 : 0);
    }
  }

  // Draws a point at the origin of a context: as a shape of radius r, or as its picture of width `big`, if not 0.
  mark(c, k, r, big) {
    const { data, hovered } = this, label = this.labels[k];
    const wrong = this.time > 0.97 && this.decoded[this.frame() * data.n + k] !== label;
    const faded = hovered !== null ? (hovered !== k ? 0.35 : 1) : this.lit && !this.lit[k] ? 0.16 : 1;
    c.globalAlpha = 0.85 * faded;
    if (big) { c.imageSmoothingEnabled = false; c.drawImage(this.sprites[k], -big / 2, -big / 2, big, big); }
    else {
      c.fillStyle = this.inks[k];
      c.beginPath(); SHAPES[label % SHAPES.length](c, r); c.fill();
    }
    const ring = (ink, width, radius) => {
      c.globalAlpha = ink === this.ink ? 1 : faded; c.strokeStyle = ink; c.lineWidth = width;
      c.beginPath(); c.arc(0, 0, radius, 0, 7); c.stroke();
    };
    if (wrong) ring(data.wrong, 1.8, big ? big * 0.6 : r + 2.5);
    if (hovered === k) ring(this.ink, 2, big ? big * 0.75 : r + 7);
  }

  // The paths of the selected points, from noise to where they are now.
  trails(at) {
    const c = this.context, n = this.data.n, P = this.positions, until = Math.floor(at), share = at - until;
    const chosen = Array.from(this.lit.keys()).filter((k) => this.lit[k]);
    c.lineWidth = 1.3;
    c.globalAlpha = Math.max(0.12, Math.min(0.6, 24 / chosen.length));
    for (const k of chosen) {
      c.strokeStyle = this.inks[k];
      c.beginPath();
      for (let f = 0; f <= until; f++) c.lineTo(...this.place(P[2 * (f * n + k)], P[2 * (f * n + k) + 1]));
      if (share > 0) {
        const a = 2 * (until * n + k), b = a + 2 * n;
        c.lineTo(...this.place(P[a] + share * (P[b] - P[a]), P[a + 1] + share * (P[b + 1] - P[a + 1])));
      }
      c.stroke();
    }
  }

  // Names stand beside their landmarks, away from the middle, so that they cover no points.
  name(marks, width, height) {
    const c = this.context, { names } = this.data, colours = this.colours;
    const middle = [0, 1].map((k) => marks.reduce((sum, mark) => sum + mark[k], 0) / marks.length);
    c.textAlign = "center"; c.textBaseline = "middle"; c.lineJoin = "round";
    marks.forEach(([x, y], k) => {
      const dx = x - middle[0], dy = y - middle[1], d = Math.hypot(dx, dy) || 1;
      const px = Math.min(width - 16, Math.max(16, x + (dx / d) * 36)), py = Math.min(height - 16, Math.max(16, y + (dy / d) * 36));
      c.font = `700 ${names[k].length > 2 ? 13 : 26}px ${getComputedStyle(this.canvas).fontFamily}`;
      c.strokeStyle = this.style("--st-secondary-background-color"); c.lineWidth = 5;
      c.strokeText(names[k], px, py);
      c.fillStyle = colours[k % colours.length];
      c.fillText(names[k], px, py);
    });
  }

  destroy() {
    this.stop();
    this.sized.disconnect();
    this.watched.disconnect();
    document.removeEventListener("visibilitychange", this.woken);
    removeEventListener("bridgeviz-clock", this.heard);
    clearInterval(this.themed);
  }
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".bv");
  if (!root.player) root.player = new Player(root);
  root.player.load(data);
  return () => { root.player?.destroy(); root.player = null; };
}
