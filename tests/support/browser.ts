import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import puppeteer from "puppeteer-core";
import type { Browser, Page } from "puppeteer-core";
import { PROJECT_DIRECTORY } from "./project.ts";
import { keepsRecordings, pageOf } from "./terminal.ts";
import type { Recording } from "./terminal.ts";

/** The browser that `toolchain/setup --browser` found or installed. */
export async function openBrowser(): Promise<Browser> {
  const { stdout: executablePath } = await execa("sh", ["-c", "command -v chromium"]);
  // As root Chromium has no sandbox; it opens nothing but our own page.
  return puppeteer.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
}

/** What an expression gives in the page; the types of tests know nothing of browsers. */
export const valueIn = <T>(page: Page, expression: string): Promise<T> => page.evaluate(expression) as Promise<T>;

/** Everything that the page shows as text, without empty lines. */
export async function textOf(page: Page): Promise<string> {
  return (await valueIn<string>(page, "document.body.innerText")).replaceAll(/\s*\n\s*/g, "\n");
}

/** Pictures of the documentation: made anew only where that is asked for, since no two are the same. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  if (keepsRecordings) await page.screenshot({ path: await pictureFile(name) });
}

/** A picture of what a terminal shows. */
export async function keepTerminal(recording: Recording, name: string): Promise<void> {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1600, height: 200, deviceScaleFactor: 1 });
    await page.setContent(await pageOf(recording));
    const shown = await page.$("pre");
    await shown?.screenshot({ path: await pictureFile(name) });
  } finally {
    await browser.close();
  }
}

async function pictureFile(name: string): Promise<`${string}.png`> {
  const path = join(PROJECT_DIRECTORY, "docs", "images", `${name}.png`) as `${string}.png`;
  await mkdir(dirname(path), { recursive: true });
  return path;
}
