import type { World } from '../world.ts';

/** A page as a browser gets it. */
interface Visited {
  status: number;
  headers: Headers;
  /** Its markup, without the places within a name where a line may end. */
  html: string;
  /** The values of the hidden fields of its forms, by name. */
  hidden: Record<string, string>;
}

/** A browser without scripts: it keeps the cookie of the pages, names its origin, and follows nothing. */
export interface Visitor {
  get(path: string, headers?: Record<string, string>): Promise<Visited>;
  /** Sends a form as a page of the same origin does. */
  post(
    path: string,
    form: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Visited>;
  /** The Cookie header that it sends to pages. */
  cookie: string | undefined;
}

/** Whether the path of the cookie has a path in it. */
const isOfPages = (path: string) => /^\/ui(?:[/?]|$)/.test(path);

/** Opens a visitor of a world. It sends these headers with each request. */
export function openVisitor(world: World, always: Record<string, string> = {}): Visitor {
  async function visit(path: string, init: RequestInit): Promise<Visited> {
    const { cookie } = visitor;
    const response = await fetch(world.url + path, {
      ...init,
      redirect: 'manual',
      headers: {
        accept: 'text/html,*/*;q=0.8',
        ...(cookie !== undefined && isOfPages(path) && { cookie }),
        ...always,
        ...(init.headers as Record<string, string>),
      },
    });
    const set = response.headers.get('set-cookie');
    if (set !== null) visitor.cookie = /Max-Age=0/.test(set) ? undefined : set.split(';')[0];
    const html = (await response.text()).replaceAll('<wbr>', '');
    const fields = html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g);
    const hidden = Object.fromEntries([...fields].map(([, name, value]) => [name, value]));
    return { status: response.status, headers: response.headers, html, hidden };
  }
  const visitor: Visitor = {
    cookie: undefined,
    get: (path, headers = {}) => visit(path, { headers }),
    post: (path, form, headers = {}) =>
      visit(path, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers: { 'sec-fetch-site': 'same-origin', origin: world.url, ...headers },
      }),
  };
  return visitor;
}
