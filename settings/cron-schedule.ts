/** The least and the greatest value of each field of a crontab line (crontab(5)). */
const FIELDS: readonly (readonly [least: number, greatest: number])[] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
];

/** Whether a text is a schedule as cron has it, in numbers: lists, ranges and steps of minute, hour, day, month, weekday. */
export function isCronSchedule(text: string): boolean {
  const fields = text.split(" ");
  return (
    fields.length === FIELDS.length &&
    FIELDS.every(([least, greatest], index) => isField(fields[index] ?? "", least, greatest))
  );
}

function isField(text: string, least: number, greatest: number): boolean {
  return text.split(",").every((part) => {
    const [, range, from, to, step] = /^(\*|(\d{1,2})(?:-(\d{1,2}))?)(?:\/([1-9]\d?))?$/.exec(part) ?? [];
    if (range === undefined) return false;
    if (range === "*") return true;
    // A step of a single number says nothing.
    if (step !== undefined && to === undefined) return false;
    const [first, last] = [Number(from), Number(to ?? from)];
    return first >= least && first <= last && last <= greatest;
  });
}
