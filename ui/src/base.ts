/** Where the app lives. The server writes the way from the page to the root into <base>, so any path prefix works. */
const root = new URL('.', document.baseURI);

export const basepath = root.pathname;

/** The address of a path of the gateway, given without its leading slash. */
export function at(path: string): string {
  return new URL(path.replace(/^\//, ''), root).href;
}

/** What a program outside puts before /v1. */
export const gateway = root.href.replace(/\/$/, '');
