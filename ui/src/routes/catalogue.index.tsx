import { createFileRoute } from '@tanstack/react-router';
import { CataloguePage } from '~/catalogue/CataloguePage';

export const Route = createFileRoute('/catalogue/')({ component: CataloguePage });
