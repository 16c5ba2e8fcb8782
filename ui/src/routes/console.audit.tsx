import { createFileRoute } from '@tanstack/react-router';
import { AuditPage } from '~/console/AuditPage';

export const Route = createFileRoute('/console/audit')({ component: AuditPage });
