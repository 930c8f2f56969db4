using Grid.Silo.Commands;

return await GridCommand.Create().Parse(args).InvokeAsync();
