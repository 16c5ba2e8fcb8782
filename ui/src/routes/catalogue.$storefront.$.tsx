import { createFileRoute } from '@tanstack/react-router';
import { ModelPage } from '~/catalogue/ModelPage';

export const Route = createFileRoute('/catalogue/$storefront/$')({ component: Shown });

function Shown() {
  const { storefront, _splat } = Route.useParams();
  return <ModelPage storefront={storefront} id={_splat ?? ''} />;
}
