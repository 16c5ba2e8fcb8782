/** Several streams become one. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden>
      <defs>
        <linearGradient id="mark" x1="0" y1="0" x2="1" y2="1">
          <stop offset="0" stopColor="#5f6bff" />
          <stop offset="1" stopColor="#12b5a6" />
        </linearGradient>
      </defs>
      <rect width="32" height="32" rx="8" fill="url(#mark)" />
      <g fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round">
        <path d="M6 8c7 0 7 8 13 8h7" />
        <path d="M6 16h20" />
        <path d="M6 24c7 0 7-8 13-8" />
      </g>
    </svg>
  );
}
