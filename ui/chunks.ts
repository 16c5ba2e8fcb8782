/**
 * How the build cuts the app into files. Law: who opens the chat asks for few files, all of them at once: what it and the
 * frame around it need is one, what several other pages share is another. pages.json tells the gateway which pages there
 * are, and what else the head of each should ask for.
 */
import type { Plugin, Rolldown } from 'vite';

const ROOTS = /\/src\/main\.tsx$|\/src\/routes\/chat\.tsx\?tsr-split=component$/;
const REACT = /\/node_modules\/(react|react-dom|scheduler)\/|\/src\/react\.ts$/;
const PAGE = /\/src\/routes\/(.+)\.tsx\?tsr-split=component$/;
const ROUTE = /\/src\/routes\/((?!__root|index).+)\.tsx$/;
const FONT = /inter-latin-wght-normal-.*\.woff2$/;
// What a page asks the gateway first, begun before a line of script has come. For who is signed in.
const SESSION = 'admin/api/v1/session';
const CHAT = [SESSION, 'admin/api/v1/conversations?limit=100'];
const ASKS = { '/': [SESSION], '/chat': CHAT, '/chat/*': CHAT };

/** Everything that these modules name without waiting for it. */
function needed(context: Rolldown.PluginContext, roots: string[]): Set<string> {
  const found = new Set<string>();
  const open = [...roots];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(context.getModuleInfo(id)?.importedIds ?? []));
  }
  return found;
}

export function chunks(): Plugin {
  let start = new Set<string>();
  const groups: Rolldown.CodeSplittingGroup[] = [
    { name: 'react', priority: 3, test: REACT },
    { name: 'start', priority: 2, test: (id) => start.has(id) },
    // What only few pages need, and is large, stays by itself.
    { name: 'shared', priority: 1, minShareCount: 2, test: (id) => !/uplot|temml|marked|markdown|Plot/.test(id) },
  ];
  return {
    name: 'conflux-chunks',
    apply: 'build',
    config: () => ({
      build: {
        rolldownOptions: { output: { codeSplitting: { includeDependenciesRecursively: false, groups } } },
      },
    }),
    buildEnd() {
      start = needed(
        this,
        [...this.getModuleIds()].filter((id) => ROOTS.test(id)),
      );
    },
    generateBundle(_, bundle) {
      const made = Object.values(bundle).filter((one) => one.type === 'chunk');
      const entry = made.find((one) => one.isEntry);
      const there = new Set(entry ? [entry.fileName, ...entry.imports] : []);
      const own = new Map<string, string[]>();
      for (const chunk of made) {
        const name = PAGE.exec(chunk.facadeModuleId ?? '')?.[1];
        const styles = [chunk.fileName, ...chunk.imports].flatMap((file) => {
          const from = bundle[file];
          return from?.type === 'chunk' && !there.has(file) ? [...(from.viteMetadata?.importedCss ?? [])] : [];
        });
        if (name) own.set(name, [chunk.fileName, ...chunk.imports.filter((file) => !there.has(file)), ...styles]);
      }
      const fonts = Object.keys(bundle).filter((name) => FONT.test(name));
      const files: Record<string, string[]> = { '/': fonts };
      for (const name of own.keys())
        files[addressOf(name)] = [...new Set([...above(name).flatMap((one) => own.get(one) ?? []), ...fonts])];
      // What has no file of its own is a page all the same.
      for (const id of this.getModuleIds()) {
        const name = ROUTE.exec(id)?.[1];
        if (name) files[addressOf(name)] ??= fonts;
      }
      this.emitFile({ type: 'asset', fileName: 'pages.json', source: JSON.stringify({ files, asks: ASKS }) });
    },
  };
}

/** `console.models` lives at /console/models, within the page `console`; `chat.$id` at whatever is below /chat. */
const addressOf = (name: string): string =>
  `/${name
    .replace(/\.index$/, '')
    .split('.')
    .join('/')
    .replace(/\$.*/, '*')}`;
const above = (name: string): string[] => name.split('.').map((_, at, parts) => parts.slice(0, at + 1).join('.'));
