// Tests plant faults in the one store that they share: the next write must be their own.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
