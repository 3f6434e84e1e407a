/**
 * JSON that can hold what no value of JavaScript does: a member twice, a member named `__proto__`, a number beyond
 * all numbers, half a surrogate pair.
 */
export type JsonTree = Members | Items | Text;
export interface Members {
  members: [name: string, value: JsonTree][];
}
export interface Items {
  items: JsonTree[];
}
/** As it stands in the JSON. */
export interface Text {
  text: string;
}

/** Where something stands in a tree, and what may be put there instead. */
export interface Place {
  readonly tree: JsonTree;
  replace(by: JsonTree): void;
}

export function treeOf(value: unknown): JsonTree {
  if (Array.isArray(value)) return { items: value.map(treeOf) };
  if (typeof value === 'object' && value !== null) {
    return {
      members: Object.entries(value).flatMap(([name, member]): Members['members'] =>
        member === undefined ? [] : [[name, treeOf(member)]],
      ),
    };
  }
  return { text: JSON.stringify(value) };
}

export function render(tree: JsonTree): string {
  if ('text' in tree) return tree.text;
  if ('items' in tree) return `[${tree.items.map(render).join(',')}]`;
  return `{${tree.members.map(([name, value]) => `${JSON.stringify(name)}:${render(value)}`).join(',')}}`;
}

/** All places in a tree, from the top. */
export function placesIn(tree: JsonTree, replace: (by: JsonTree) => void): Place[] {
  const here = { tree, replace };
  if ('text' in tree) return [here];
  if ('items' in tree) {
    return [
      here,
      ...tree.items.flatMap((item, index) => placesIn(item, (by) => void (tree.items[index] = by))),
    ];
  }
  return [here, ...tree.members.flatMap((member) => placesIn(member[1], (by) => void (member[1] = by)))];
}
