// Differences of two values, as { at, reference, sluice }; a member that is not there is undefined.

const isObject = (v) => v !== null && typeof v === 'object';

export function differences(reference, sluice, at = '') {
  if (isObject(reference) && isObject(sluice) && Array.isArray(reference) === Array.isArray(sluice)) {
    const keys = new Set([...Object.keys(reference), ...Object.keys(sluice)]);
    return [...keys].flatMap((k) => differences(reference[k], sluice[k], at ? `${at}.${k}` : k));
  }
  return reference === sluice ? [] : [{ at, reference, sluice }];
}

// Whether @rule (a line of differences.jsonl) explains @d in the step @name of the talk @talk.
// `talk` and `at` are anchored regular expressions; the others, where given, must be equal.
export function explains(rule, talk, name, d) {
  const same = (want, have) => want === undefined ||
    (want === null ? have === undefined : JSON.stringify(want) === JSON.stringify(have));

  return new RegExp(`^(${rule.talk})$`).test(talk) && (rule.step === undefined ||
    new RegExp(`^(${rule.step})$`).test(name)) && new RegExp(`^(${rule.at})$`).test(d.at) &&
    same(rule.reference, d.reference) && same(rule.sluice, d.sluice);
}
