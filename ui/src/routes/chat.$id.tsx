import { createFileRoute } from '@tanstack/react-router';

// The page around it stays while conversations change.
export const Route = createFileRoute('/chat/$id')({ codeSplitGroupings: [], component: () => null });
