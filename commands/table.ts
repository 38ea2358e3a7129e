/** Columns two spaces apart, without lines and colours: it can be read, cut and grepped. */
export const NO_LINES = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "", left: "", right: "", middle: "  " },
  ...{ mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
};
export const PLAIN = { head: [], border: [], "padding-left": 0, "padding-right": 0 };

export const withoutTrailingBlanks = (text: string): string => text.replaceAll(/ +$/gm, "");
