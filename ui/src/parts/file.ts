/** What somebody's file says: as UTF-8 or not at all, so that no letter is changed unseen. */
export async function textOf(file: Blob & { name: string }, most: number, split: string): Promise<string> {
  if (file.size > most * 4) throw new Error(`${file.name} is too large: ${split}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it is not there any more
    throw new Error(`${file.name} is not written in UTF-8: save it as UTF-8, and choose it again`);
  }
  if (text.length > most) throw new Error(`${file.name} is too large: ${split}`);
  return text;
}
