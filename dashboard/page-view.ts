/** What the page's own script gets: everything else is text that was rendered, and escaped, before. */
export interface PageView {
  /** Of the browser's tab. */
  readonly title: string;
  /** HTML by the id of the section that it belongs into. */
  readonly sections: Readonly<Record<string, string>>;
  readonly charts: readonly Chart[];
}

export interface Chart {
  /** Of the element that it is drawn into. */
  readonly id: string;
  /** Of the values: both count bytes in units of a thousand. */
  readonly unit: "bytes" | "bytes per second";
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
}

export interface ChartSeries {
  readonly name: string;
  /** One for each time; null: it is not known. */
  readonly values: readonly (number | null)[];
}
