import { createFileRoute } from '@tanstack/react-router';
import { UsagePage } from '~/usage/UsagePage';

export const Route = createFileRoute('/usage/')({ component: UsagePage });
