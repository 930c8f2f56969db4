[assembly: AssemblyFixture(typeof(Grid.Packages.Tests.Workplace))]
