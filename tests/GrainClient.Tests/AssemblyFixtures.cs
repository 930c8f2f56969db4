[assembly: AssemblyFixture(typeof(CoreHost))]

// One at a time: a test that skips time makes calls of others, which Orleans times by the same clock, look overdue.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
