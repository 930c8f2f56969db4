using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace Grid.Samples.RazorPagesIdentity;

/// <summary>Identity's own tables.</summary>
public sealed class Users(DbContextOptions<Users> options) : IdentityDbContext<IdentityUser>(options);
