export { createKernel, type Kernel, type Role, type Started } from './kernel.js'
