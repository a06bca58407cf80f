/* The button of the door that asks the browser for a passkey, and sends the form with its answer. Without it the code of an
   app is taken. */
(function () {
  "use strict";

  function decode(text) {
    const plain = window.atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (letter) { return letter.charCodeAt(0); });
  }

  function encode(bytes) {
    return window.btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }

  function describe(credential) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = encode(credential.response[name]);
    }
    const about = { id: credential.id, rawId: encode(credential.rawId), type: credential.type };
    return JSON.stringify({ ...about, response: response, clientExtensionResults: {} });
  }

  function ask(button) {
    const options = JSON.parse(button.dataset.options);
    options.challenge = decode(options.challenge);
    if (button.dataset.make !== "true") return navigator.credentials.get({ publicKey: options });
    options.user.id = decode(options.user.id);
    return navigator.credentials.create({ publicKey: options });
  }

  function say(form, text) {
    const before = document.querySelector("main .problem");
    const line = before || document.createElement("p");
    line.className = "problem";
    line.setAttribute("role", "alert");
    line.textContent = text;
    if (!before) form.before(line);
  }

  function press(button) {
    const form = button.form;
    const { code, again, passphrase } = form.elements;
    if (again) again.setCustomValidity(again.value === passphrase.value ? "" : button.dataset.different);
    if (code) code.required = false;
    const isReady = form.reportValidity();
    if (code) code.required = true;
    if (again) again.setCustomValidity("");
    if (!isReady) return;
    button.disabled = true;
    ask(button).then(function (credential) {
      form.elements.passkey.value = describe(credential);
      form.submit();
    }).catch(function () {
      button.disabled = false;
      say(form, button.dataset.failed);
    });
  }

  if (!window.PublicKeyCredential) return;
  for (const button of document.querySelectorAll("button[data-options]")) {
    for (let part = button; part; part = part.parentElement) part.hidden = false;
    button.addEventListener("click", function () { press(button); });
  }
})();
