// The camera reads QR codes: the browser by itself where it can, else a reader that comes when it is first needed.

import { bare } from "./facts.js";

const WANTED = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } }; // tiny codes need them
const PAUSE = 120; // milliseconds between two looks
const LIKED = "counter:camera"; // this device scans with its camera: the next customer finds it open

const part = (name) => document.querySelector(`[data-camera-${name}]`);
const start = part("start"), box = part("box"), picture = part("picture"), light = part("light"), refused = part("refused");
const code = document.getElementById("code");
const OURS = { locateFile: () => start.dataset.wasm }; // the reader would ask its maker's network
let stream = null;

const readsByItself = async () =>
  "BarcodeDetector" in window && (await BarcodeDetector.getSupportedFormats()).includes("qr_code");

const load = (url) => new Promise((resolve, reject) => {
  const script = document.createElement("script");
  Object.assign(script, { src: url, onload: resolve, onerror: reject });
  document.head.append(script);
});

const newReader = async () => {
  const formats = ["qr_code"];
  if (await readsByItself().catch(() => false)) return new BarcodeDetector({ formats });
  if (!window.BarcodeDetectionAPI) await load(start.dataset.reader);
  try { // now, so that one that does not come is told of
    await BarcodeDetectionAPI.prepareZXingModule({ overrides: OURS, fireImmediately: true });
  } catch (error) {
    BarcodeDetectionAPI.purgeZXingModule();
    throw error;
  }
  return new BarcodeDetectionAPI.BarcodeDetector({ formats });
};

const stop = () => {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = picture.srcObject = null;
  box.hidden = light.hidden = true;
  start.hidden = false;
};

// A light where the camera has one.
const offerLight = () => {
  const [track] = stream.getVideoTracks();
  let on = false;
  light.hidden = !track.getCapabilities?.().torch;
  light.onclick = () => {
    on = !on;
    light.setAttribute("aria-pressed", on);
    track.applyConstraints({ advanced: [{ torch: on }] }).catch(() => { light.hidden = true; });
  };
};

const look = async (reader, mine) => {
  if (stream !== mine) return; // stopped meanwhile
  const [found] = picture.videoWidth ? await reader.detect(picture).catch(() => []) : [];
  if (stream !== mine) return;
  if (!found?.rawValue) {
    setTimeout(look, PAUSE, reader, mine);
    return;
  }
  stop();
  navigator.vibrate?.(60);
  code.value = bare(found.rawValue);
  code.dispatchEvent(new Event("input", { bubbles: true }));
  code.form.requestSubmit();
};

const open = async () => {
  start.disabled = true;
  refused.hidden = true;
  try {
    const reader = await newReader();
    stream = picture.srcObject = await navigator.mediaDevices.getUserMedia({ video: WANTED });
    box.hidden = false;
    start.hidden = true;
    await picture.play();
    offerLight();
    look(reader, stream);
    localStorage.setItem(LIKED, "1");
  } catch { // no camera, not allowed, or no reader at hand: the field is still there
    stop();
    refused.hidden = false;
    localStorage.removeItem(LIKED);
    code.focus();
  }
  start.disabled = false;
};

const isLiked = async () => {
  if (!localStorage.getItem(LIKED) || code.value) return false;
  return (await navigator.permissions.query({ name: "camera" })).state === "granted";
};

if (start && navigator.mediaDevices) {
  start.hidden = false;
  start.addEventListener("click", open);
  part("stop").addEventListener("click", () => {
    stop();
    localStorage.removeItem(LIKED);
    code.focus();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden && stream) stop(); });
  isLiked().then((liked) => liked && open(), () => {});
}
