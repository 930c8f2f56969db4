using Grid.Silo.Commands;

return await GridCommand.RunAsync(args);
