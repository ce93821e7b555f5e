/** Plays several clips as one: one clock, and every clip steered to it. */

const STEER_MS = 50;
const GATHER_MS = 8000; // a clip that is not ready by then comes in later
const STALL_MS_OF_ONE = 250; // out of bytes for so long: the others wait for it
const JUMP_S = 0.08; // further off than this, a clip is moved; below, its speed is nudged
const NUDGE_S = 0.006;

/**
 * All clips start together, keep together, and hold their last frame until the longest has ended.
 * @param {() => HTMLVideoElement[]} clips  those that take part, now
 * @param {() => void} onChange  the clock moved, or started, or stopped
 * @param {AbortSignal} signal
 * @param {() => boolean} [isLooping]  whether all begin again after the longest
 */
function createSync(clips, onChange, signal, isLooping = () => false) {
  // Asked to play; the clock runs (between the two, clips are being gathered).
  let [isWanted, isRunning] = [false, false];
  let [at_s, from_ms, round, stalled_ms] = [0, 0, 0, 0];
  /** Ahead of the clock, waiting for it. @type {Set<HTMLVideoElement>} */
  const held = new Set();
  /** How far ahead a jump has to aim, since it takes its time. @type {WeakMap<HTMLVideoElement, number>} */
  const leads_s = new WeakMap();
  /** Jumps whose outcome is not known yet. @type {Set<HTMLVideoElement>} */
  const jumping = new Set();
  /** Left behind while the others went on. @type {Set<HTMLVideoElement>} */
  const late = new Set();

  const lengths_s = () => clips().map((video) => video.duration).filter(Number.isFinite);
  const duration_s = () => Math.max(0, ...lengths_s());
  const clock_s = () => Math.min(duration_s(), at_s + (isRunning ? (performance.now() - from_ms) / 1000 : 0));
  /** @param {HTMLVideoElement} video @param {number} position_s */
  const isOver = (video, position_s) => position_s >= video.duration - 0.001;
  /** @param {HTMLVideoElement} video */
  const isReady = (video) => !video.seeking && video.readyState >= (
    isOver(video, video.currentTime) ? video.HAVE_CURRENT_DATA : video.HAVE_FUTURE_DATA);
  const pause_ms = (/** @type {number} */ delay_ms) => new Promise((/** @type {(value: void) => void} */ resolve) => {
    after(delay_ms, resolve, signal);
  });

  /** Stop the clock where it is and put every clip there. */
  const halt = () => {
    at_s = clock_s();
    isRunning = false;
    held.clear();
    jumping.clear();
    for (const video of clips()) {
      video.pause();
      video.playbackRate = 1;
      const target_s = Math.min(at_s, video.duration || 0);
      if (Math.abs(video.currentTime - target_s) > 0.001) video.currentTime = target_s;
    }
  };

  /** Go on from `at_s`: gather every clip there, then let all go at once. */
  const go = async () => {
    const mine = ++round;
    halt();
    onChange();
    const until_ms = performance.now() + GATHER_MS;
    while (!clips().every(isReady) && performance.now() < until_ms) {
      await pause_ms(20);
      if (mine !== round) return;
      // Its length may have become known only now.
      for (const video of clips()) {
        const target_s = Math.min(at_s, video.duration || 0);
        if (!video.seeking && Math.abs(video.currentTime - target_s) > 0.05) video.currentTime = target_s;
      }
      onChange();
    }
    if (!isWanted || mine !== round) return onChange();
    late.clear();
    for (const video of clips()) if (!isReady(video)) late.add(video);
    const movers = clips().filter((video) => !late.has(video) && !isOver(video, at_s));
    const starts = movers.map((video) => video.play().catch(() => {}));
    await Promise.race([Promise.allSettled(starts), pause_ms(1000)]);
    if (mine !== round) return;
    // The slowest to start sets the clock: waiting for it is exact, a jump ahead is not.
    const begun_s = movers.map((video) => video.currentTime).filter((time_s) => time_s >= at_s);
    if (begun_s.length) at_s = Math.min(...begun_s);
    [from_ms, stalled_ms, isRunning] = [performance.now(), 0, true];
    steer(mine);
  };

  /** @param {HTMLVideoElement} video @param {number} now_s */
  const steerOne = (video, now_s) => {
    if (video.seeking || isOver(video, now_s) || video.readyState < video.HAVE_FUTURE_DATA) return;
    const ahead_s = video.currentTime - now_s;
    if (jumping.delete(video)) {
      const lead_s = (leads_s.get(video) ?? 0) - ahead_s;
      leads_s.set(video, Math.min(0.5, Math.max(0, lead_s)));
    }
    if (held.has(video) && ahead_s > NUDGE_S) return;
    if (ahead_s > JUMP_S && ahead_s < 1) {
      held.add(video);
      return video.pause();
    }
    if (Math.abs(ahead_s) > JUMP_S) {
      jumping.add(video);
      video.currentTime = Math.min(video.duration, now_s + (leads_s.get(video) ?? 0.04));
    } else {
      const rate = Math.abs(ahead_s) < NUDGE_S ? 1 : Math.round((1 - ahead_s * 3) * 50) / 50;
      if (video.playbackRate !== rate) video.playbackRate = rate;
    }
    held.delete(video);
    if (video.paused) video.play().catch(() => {});
  };

  /** @param {number} mine */
  const steer = (mine) => {
    if (mine !== round || !isRunning) return;
    const now_s = clock_s();
    if (now_s >= duration_s()) {
      if (isLooping()) {
        [at_s, isRunning] = [0, false];
        go();
        return;
      }
      isWanted = false;
      round++;
      halt();
      return onChange();
    }
    const stuck = clips().filter((video) => !isOver(video, now_s)
      && video.readyState < video.HAVE_FUTURE_DATA && !late.has(video));
    for (const video of late) if (isReady(video)) late.delete(video);
    stalled_ms = stuck.length ? stalled_ms || performance.now() : 0;
    if (stalled_ms && performance.now() - stalled_ms > STALL_MS_OF_ONE) {
      at_s = Math.max(0, now_s - (performance.now() - stalled_ms) / 1000);
      isRunning = false;
      go();
      return;
    }
    for (const video of clips()) steerOne(video, now_s);
    onChange();
    after(STEER_MS, () => steer(mine), signal);
  };

  return {
    clock_s, duration_s,
    isWanted: () => isWanted,
    isWaiting: () => isWanted && !isRunning,
    readyCount: () => clips().filter(isReady).length,
    play() {
      if (clock_s() >= duration_s() - FRAME_S / 2) [at_s, isRunning] = [0, false];
      isWanted = true;
      go();
    },
    pause() {
      // In the middle of the frame that shows: between two frames the clips, which stop a moment
      // apart, could disagree on which of them it is, and so could the next step.
      at_s = (Math.floor(clock_s() / FRAME_S) + 0.5) * FRAME_S;
      [isWanted, isRunning] = [false, false];
      go();
    },
    restart() {
      [at_s, isRunning, isWanted] = [0, false, true];
      go();
    },
    /** Playing clips go on from there, still ones stay still. @param {number} position_s */
    seek(position_s) {
      [at_s, isRunning] = [Math.min(duration_s(), Math.max(0, position_s)), false];
      go();
    },
    /** @param {number} frames  negative = back */
    step(frames) {
      // From the middle of a frame to that of another: rounding must not show a neighbour. At the
      // end the last frame still shows.
      const shown_s = Math.min(clock_s(), duration_s() - FRAME_S / 2);
      isWanted = false;
      this.seek((Math.floor(shown_s / FRAME_S) + frames + 0.5) * FRAME_S);
    },
    /** Let go of all clips. */
    end() {
      [isWanted, round] = [false, round + 1];
      halt();
      at_s = 0;
    },
  };
}
