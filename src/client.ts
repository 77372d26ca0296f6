export const createClient = () => 1
