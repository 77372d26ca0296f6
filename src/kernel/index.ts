export { createKernel, Kernel, type Role, type Started } from './kernel.js'
