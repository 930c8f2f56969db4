import { createRoot } from "react-dom/client";
import SuperTokens, { SuperTokensWrapper } from "supertokens-auth-react";
import Session from "supertokens-auth-react/recipe/session";
import { App } from "./App.jsx";
import { SignIn } from "./SignIn.jsx";
import "./style.css";

// Read at run time, so that one build serves every installation.
const config = await (await fetch("/config.json")).json();

SuperTokens.init({
  appInfo: { appName: "Grid with React", apiDomain: config.apiDomain, websiteDomain: config.websiteDomain, apiBasePath: "/auth", websiteBasePath: "/" },
  // The sign-in page is our own: no route of the SDK's is used.
  disableAuthRoute: true,
  getRedirectionURL: async (context) => (context.action === "TO_AUTH" ? "/" : undefined),
  recipeList: [
    Session.init({
      tokenTransferMethod: config.tokenTransferMethod,
      sessionTokenBackendDomain: config.sessionTokenBackendDomain,
      sessionTokenFrontendDomain: config.sessionTokenFrontendDomain,
      // To be seen in the browser's performance panel.
      onHandleEvent: ({ action }) => performance.mark(`session ${action}`),
    }),
  ],
});

// For the .NET API, which has this script; supertokens-node has none. Grid tells the page at once when its session ends elsewhere; the SDK then does what it does for any session that has expired.
if (config.sessionEvents) {
  document.head.append(Object.assign(document.createElement("script"), { src: `${config.apiDomain}/auth/session/events.js` }));
}

createRoot(document.getElementById("root")).render(
  <SuperTokensWrapper>
    <main>
      <h1>Grid with React</h1>
      {location.pathname === "/app" ? <App api={config.apiDomain} /> : <SignIn api={config.apiDomain} />}
    </main>
  </SuperTokensWrapper>,
);
