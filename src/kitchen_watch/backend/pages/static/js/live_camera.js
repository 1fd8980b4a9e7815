// The page of one camera.

import "./live_tools.js";
import { startPast } from "./live_past.js";

startPast(document);
