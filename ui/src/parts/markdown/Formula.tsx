/** Maths as MathML, which browsers draw themselves. Loaded with the first formula. */
import { useEffect, useRef } from 'react';
import temml from 'temml';

export default function Formula({ text, block }: { text: string; block: boolean }) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (place.current) temml.render(text, place.current, { displayMode: block, throwOnError: false, trust: false });
  }, [text, block]);
  return <span ref={place} style={block ? { display: 'block', overflowX: 'auto', margin: '0.8em 0' } : undefined} />;
}
