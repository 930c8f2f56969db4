// Tests start processes and silos of their own, which answer in time only if the others leave them a processor.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
