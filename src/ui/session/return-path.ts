const somewhere = 'http://gateway.invalid';

/**
 * Returns the path of the page to show after a sign-in, without the base path. Only pages of this service are
 * accepted, otherwise a link to the sign-in could lead anywhere. Default: the targets.
 */
export function toReturnPath(wanted: string | null | undefined): string {
  const url = URL.parse(wanted ?? '', somewhere);
  const isPage = url?.origin === somewhere && /^\/ui\/(?!sign-)/.test(url.pathname);
  return isPage ? url.pathname + url.search : '/ui/targets';
}

/** Returns the URL of the sign-in that leads back to the page of a request. */
export function toSignInUrl(
  basePath: string,
  { method, url }: { method: string; url: string },
): string {
  // A button leads to a path below the path of its page.
  const page = method === 'POST' ? url.slice(0, url.lastIndexOf('/')) : url;
  return `${basePath}/ui/sign-in?${new URLSearchParams({ next: toReturnPath(page) })}`;
}
