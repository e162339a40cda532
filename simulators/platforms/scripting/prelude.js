// Runs one script of a user: compiles it, calls its function `main`, and tells what came of it.
// Time and chance come with the job, so that the same job always gives the same result.
(function () {
  'use strict';
  const { parse, stringify } = JSON;
  const text = String;
  const { apply, construct } = Reflect;
  const toWellFormed = String.prototype.toWellFormed;
  const evaluate = globalThis.eval; // called by this name it sees globals alone
  const NativeDate = Date;
  const thrown = Error;

  function setTime(now) {
    const FixedDate = function Date(...parts) {
      if (new.target === undefined) return text(new NativeDate(now));
      return construct(NativeDate, parts.length ? parts : [now], new.target);
    };
    FixedDate.prototype = NativeDate.prototype;
    FixedDate.now = () => now;
    FixedDate.parse = NativeDate.parse;
    FixedDate.UTC = NativeDate.UTC;
    NativeDate.prototype.constructor = FixedDate;
    globalThis.Date = FixedDate;
  }

  function setChance(seed) {
    let state = seed >>> 0;
    Math.random = function random() { // mulberry32
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
    };
  }

  // What JSON cannot say becomes null instead of vanishing.
  function shown(_, value) {
    if (value === undefined) return null;
    if (typeof value === 'function' || typeof value === 'symbol') throw new TypeError('no value');
    return typeof value === 'string' ? apply(toWellFormed, value, []) : value;
  }

  // "TypeError: no such thing at decodeUplink (<input>:3:9)"
  function told(error) {
    let message = text(error);
    if (error instanceof thrown) {
      const place = /^\s*(at .+)$/m.exec(text(error.stack));
      if (place) message += ' ' + place[1];
    }
    return apply(toWellFormed, message, []);
  }

  function attempt(kind, step) {
    try {
      return [null, step()];
    } catch (error) {
      let message = 'error';
      try { message = told(error); } catch (_) { /* it does not even tell what it is */ }
      return [stringify({ error: kind, message }), null];
    }
  }

  for (const name of ['performance', 'SharedArrayBuffer', 'Atomics']) delete globalThis[name];

  return function run(script, input, now, seed) {
    setTime(now);
    setChance(seed);
    let [failure] = attempt('compile', () => evaluate(script));
    let value;
    const { main } = globalThis;
    if (failure === null && typeof main !== 'function') failure = stringify({ error: 'no main' });
    if (failure === null) [failure, value] = attempt('call', () => main(parse(input)));
    if (failure === null) [failure, value] = attempt('value', () => stringify({ value }, shown));
    return failure === null ? value : failure;
  };
})()
