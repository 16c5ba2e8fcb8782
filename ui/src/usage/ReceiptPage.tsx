export const ReceiptPage = ({ id }: { id: string }) => <>{id}</>;
