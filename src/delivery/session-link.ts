/** Where the page of a session is: in the template `{session}` stands for its name. */
export function linkTo(template: string | undefined, sessionName: string | undefined): string | undefined {
  return template?.replaceAll('{session}', encodeURIComponent(sessionName ?? ''));
}
