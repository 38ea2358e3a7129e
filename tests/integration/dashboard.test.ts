import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NO_HISTORY, withStatus } from "../../dashboard/history.ts";
import { renderPage } from "../../dashboard/render.ts";
import { pageView } from "../../dashboard/view.ts";
import type { PendingChange } from "../../dashboard/view.ts";
import type { StackStatus } from "../../operations/status-schema.ts";
import { openBrowser, textOf, valueIn } from "../support/browser.ts";
import { PRIMARY, STANDBY, STATUS } from "../unit/status-support.ts";

let browser: Browser;
let folder: string;
let page: Page;

beforeAll(async () => {
  browser = await openBrowser();
  folder = await mkdtemp(join(tmpdir(), "pg-topology-page-"));
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

/** A report, as `npm run report` writes it, opened from a file; and what the browser complained of. */
async function openReport(statuses: readonly StackStatus[], impact: PendingChange | null = null): Promise<string[]> {
  const history = statuses.reduce(withStatus, NO_HISTORY);
  const [{ project, stack, at } = STATUS] = statuses;
  const view = pageView({ project, stack, at: new Date(at), history, failure: null, impact });
  const file = join(folder, "report.html");
  await writeFile(file, renderPage(view, null));
  page = await browser.newPage();
  const complaints: string[] = [];
  const requested: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => void requested.push(request.url()));
  await page.goto(`file://${file}`);
  const others = requested.filter((url) => url !== `file://${file}` && !url.startsWith("data:"));
  return [...complaints, ...others];
}

const minuteOf = (lags: readonly number[]): StackStatus[] =>
  lags.map((replayLagBytes, second) => ({
    ...STATUS,
    at: new Date(Date.parse(STATUS.at) + second * 1000).toISOString(),
    nodes: [PRIMARY, { ...STANDBY, replayLagBytes }],
  }));

describe("a report", () => {
  test("needs nothing else, and breaks no rule of its own policy", async () => {
    const impact: PendingChange = {
      impact: "restart",
      findings: [{ level: "restart", message: "rolling restart: node-2, node-1 (max_connections)" }],
    };
    expect(await openReport(minuteOf([0, 2000, 1000]), impact)).toEqual([]);
    const text = await textOf(page);
    expect(text).toContain("degraded at 2026-11-21 12:00:00 UTC");
    expect(text).toContain("node-2: replay is paused\nit is old: npm start.");
    expect(text).toContain("timeline 2: node-1 was promoted");
    expect(text).toContain("Pending change: restart\nrestart rolling restart: node-2, node-1 (max_connections)");
    expect(await page.title()).toBe("degraded · dev");
  });

  test("fits a phone: only the table scrolls sideways", async () => {
    await page.setViewport({ width: 360, height: 740 });
    const tooWide = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
    // The charts learn of the new width a moment later.
    await expect.poll(() => valueIn<number>(page, tooWide)).toBe(0);
  });

  test("is dark where the reader wants it", async () => {
    const background = (): Promise<string> => valueIn(page, "getComputedStyle(document.body).backgroundColor");
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
    const light = await background();
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
    expect(light).toBe("rgb(255, 255, 255)");
    expect(await background()).toBe("rgb(18, 24, 31)");
  });

  test("can be read with the keyboard alone: Tab goes to the charts and the table, arrows through a chart", async () => {
    const focused = (): Promise<string> => valueIn(page, "document.activeElement.id");
    const stops: string[] = [];
    for (let stop = 0; stop < 3; stop++) {
      await page.keyboard.press("Tab");
      stops.push(await focused());
    }
    expect(stops).toEqual(["lag-chart", "write-chart", "node-table"]);
    await page.focus("#lag-chart");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    const legend = (): Promise<string> => valueIn(page, "document.querySelector('#lag-chart .u-legend').textContent");
    await expect.poll(legend, { timeout: 30_000 }).toContain("2KB");
  });
});

describe("names of somebody who means ill", () => {
  const HOSTILE = `"><img src=x onerror="document.title='run'"><script>document.title='run'</script>`;

  test("are shown as they are, and run nothing", async () => {
    const nodes = [
      { ...PRIMARY, name: HOSTILE, state: HOSTILE },
      { ...STANDBY, name: `${HOSTILE}2`, upstream: HOSTILE, version: HOSTILE },
    ];
    const problem = {
      kind: "replay-paused",
      node: HOSTILE,
      what: HOSTILE,
      why: HOSTILE,
      run: `\`${HOSTILE}\``,
    } as const;
    const status = { ...STATUS, stack: HOSTILE, nodes, problems: [problem] };
    const impact = { impact: "none", findings: [{ level: "none", message: HOSTILE }] } as const;
    expect(await openReport([status, { ...status, at: "2026-11-21T12:00:01.000Z" }], impact)).toEqual([]);
    expect(await page.title()).toBe(`degraded · ${HOSTILE}`);
    expect(await page.$$("img")).toEqual([]);
    expect(await page.$$("script")).toHaveLength(3);
    const shown = (await textOf(page)).split(HOSTILE).length - 1;
    expect(shown).toBeGreaterThan(8);
  });
});
