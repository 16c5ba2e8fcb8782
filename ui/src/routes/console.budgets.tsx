import { createFileRoute } from '@tanstack/react-router';
import { BudgetsPage } from '~/console/BudgetsPage';

export const Route = createFileRoute('/console/budgets')({ component: BudgetsPage });
