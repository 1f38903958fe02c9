/** What happens on the nodes when the pair is destroyed. The data on the share is never touched. */
export enum RemovalPolicy {
  /** Take away what was put there, and leave the nodes as they were before. */
  RESTORE = 'restore',
  /** Leave everything as it is; the pair goes on without Terraform. */
  RETAIN = 'retain',
}
